//! What one side signs the other side accepts, for each kind of key.

use std::time::SystemTime;

use zeroize::Zeroizing;

use super::keygen::Keygen;
use super::{PLAN, bad, judge, judge_bytes, unknown};
use crate::sign::{AllowedSigners, Revoked, SignError, Verdict, sign_with_key, verify};

const ED25519: &[&str] = &["ed25519"];
const P256: &[&str] = &["ecdsa", "-b", "256"];
const RSA: &[&str] = &["rsa", "-b", "3072"];

fn never() -> Option<Zeroizing<String>> {
    panic!("this key has no passphrase")
}

#[test]
fn what_ssh_keygen_signs_is_good_here() {
    let Some(keys) = Keygen::found() else { return };
    for (name, kind) in [("ed", ED25519), ("ec", P256), ("rsa", RSA)] {
        let public = keys.key(name, kind, "");
        for hash in ["sha512", "sha256"] {
            let armored = keys.sign(name, "mig-plan", &["-O", &format!("hashalg={hash}")], PLAN);
            match judge(&armored, &keys.allow(name)) {
                Verdict::Good { principals, fingerprint, .. } => {
                    assert_eq!(principals[0].to_string(), format!("{name}@example.com"));
                    assert!(fingerprint.starts_with("SHA256:"));
                }
                other => panic!("{name} {hash}: {other:?}"),
            }
            let windows = armored.replace('\n', "\r\n");
            assert!(judge(&windows, &keys.allow(name)).is_good(), "{name}: line ends may change on their way");
            assert!(bad(&judge_bytes(b"{}", armored.as_bytes(), &keys.allow(name))).contains("not over these bytes"));
        }
        let elsewhere = keys.sign(name, "file", &[], PLAN);
        assert!(bad(&judge(&elsewhere, &keys.allow(name))).contains("namespace \"file\""));
        let stranger = keys.sign(name, "mig-plan", &[], PLAN);
        assert!(unknown(&judge(&stranger, "")).contains("no line of allowed_signers names its key"));
        assert!(public.contains("example.com"));
    }
}

#[test]
fn what_is_signed_here_ssh_keygen_accepts() {
    let Some(keys) = Keygen::found() else { return };
    for (name, kind) in [("ed", ED25519), ("ec", P256)] {
        keys.key(name, kind, "");
        let signed = sign_with_key(PLAN, &keys.text(name), never).unwrap();
        let who = format!("{name}@example.com");
        assert_eq!(signed.signer, who);
        assert_eq!(signed.file_name("plan.json"), format!("plan.json.{who}.sig"));
        assert!(keys.accepts(&keys.allow(name), &who, &signed.armored, PLAN), "{name}");
        assert!(!keys.accepts(&keys.allow(name), &who, &signed.armored, b"{}"), "{name}");
        assert!(judge(&signed.armored, &keys.allow(name)).is_good());
    }
}

#[test]
fn an_encrypted_key_asks_for_its_passphrase() {
    let Some(keys) = Keygen::found() else { return };
    keys.key("locked", ED25519, "correct horse");
    let pem = keys.text("locked");
    let open = |phrase: &str| {
        let phrase = Zeroizing::new(phrase.to_owned());
        sign_with_key(PLAN, &pem, move || Some(phrase))
    };
    let signed = open("correct horse").unwrap();
    assert_eq!(signed.signer, "locked@example.com", "the comment is inside the encrypted part");
    assert!(keys.accepts(&keys.allow("locked"), "locked@example.com", &signed.armored, PLAN));
    assert!(matches!(open("wrong"), Err(SignError::WrongPassphrase)));
    assert!(matches!(open(""), Err(SignError::WrongPassphrase)));
    assert!(matches!(sign_with_key(PLAN, &pem, || None), Err(SignError::NoPassphrase)));
}

#[test]
fn keys_that_only_an_agent_uses_say_so_before_asking() {
    let Some(keys) = Keygen::found() else { return };
    keys.key("rsa", RSA, "secret");
    let error = sign_with_key(PLAN, &keys.text("rsa"), never).unwrap_err();
    assert!(matches!(error, SignError::NeedsAgent { .. }), "{error}");
    assert!(error.to_string().contains("ssh-add"));
    keys.key("p384", &["ecdsa", "-b", "384"], "");
    let error = sign_with_key(PLAN, &keys.text("p384"), never).unwrap_err();
    assert!(error.to_string().contains("ecdsa-sha2-nistp384 keys are not supported"), "{error}");
    let armored = keys.sign("p384", "mig-plan", &[], PLAN);
    assert!(unknown(&judge(&armored, &keys.allow("p384"))).contains("not supported"));
}

#[test]
fn a_key_without_a_comment_is_named_by_its_fingerprint() {
    let Some(keys) = Keygen::found() else { return };
    let path = keys.path("bare");
    super::keygen::run(&["-q", "-N", "", "-C", "", "-t", "ed25519", "-f", path.to_str().unwrap()], b"");
    let signed = sign_with_key(PLAN, &keys.text("bare"), never).unwrap();
    assert_eq!(signed.signer.len(), 64);
    assert!(signed.signer.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn allowed_signers_are_read_as_ssh_keygen_reads_them() {
    let Some(keys) = Keygen::found() else { return };
    let public = keys.key("alice", ED25519, "");
    let armored = keys.sign("alice", "mig-plan", &[], PLAN);
    let heads = [
        ("alice@example.com", true),
        ("\"alice@example.com\"", true),
        ("bob@x,alice@example.com", true),
        ("*@example.com", true),
        ("al?ce@*", true),
        ("!alice@example.com,*", false),
        ("*,!alice@example.com", false),
        ("alice@example.com namespaces=\"mig-plan\"", true),
        ("alice@example.com namespaces=\"git,mig-*\"", true),
        ("alice@example.com NAMESPACES=\"git\"", false),
        ("alice@example.com namespaces=\"!mig-plan,*\"", false),
        ("alice@example.com valid-after=\"20200101\",valid-before=\"20990101Z\"", true),
        ("alice@example.com valid-after=\"209901011200Z\"", false),
        ("alice@example.com valid-before=\"20200101120000\"", false),
        ("alice@example.com valid-after=\"20200101\",valid-after=\"20200101\"", false),
        ("alice@example.com no-such-option", false),
        ("alice@example.com cert-authority", false),
    ];
    for (head, expected) in heads {
        let line = format!("# signers\n\n{head} {public}");
        assert_eq!(keys.accepts(&line, "alice@example.com", &armored, PLAN), expected, "ssh-keygen: {head}");
        let ours = AllowedSigners::parse(&line, "allowed_signers").is_ok_and(|allowed| {
            let files = [("s".to_owned(), armored.clone().into_bytes())];
            let verdict = verify(PLAN, &files, &allowed, &Revoked::default(), SystemTime::now()).remove(0);
            matches!(verdict, Verdict::Good { principals, .. } if principals[0].matches("alice@example.com"))
        });
        assert_eq!(ours, expected, "here: {head}");
    }
}
