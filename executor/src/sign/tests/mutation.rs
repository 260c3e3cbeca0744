//! Damaged plans and signatures: never good, never a panic.

use ssh_key::encoding::{Encode as _, base64::Base64, base64::Encoding as _};
use ssh_key::{HashAlg, LineEnding, SshSig};

use super::keygen::Keygen;
use super::{PLAN, Verdict, bad, judge_bytes};
use crate::sign::{AllowedSigners, NAMESPACE, Revoked, sign_with_key};

/// A new key: its signature of [`PLAN`], and the line that allows it.
fn pair(keys: &Keygen, kind: &[&str]) -> (String, String) {
    keys.key("k", kind, "");
    (keys.sign("k", "mig-plan", &[], PLAN), keys.allow("k"))
}

#[test]
fn each_flipped_byte_of_a_plan_is_bad() {
    let Some(keys) = Keygen::found() else { return };
    let (armored, allowed) = pair(&keys, &["ed25519"]);
    for at in 0..PLAN.len() {
        let mut plan = PLAN.to_vec();
        plan[at] ^= 1 << (at % 8);
        assert!(bad(&judge_bytes(&plan, armored.as_bytes(), &allowed)).contains("not over these bytes"), "byte {at}");
    }
    assert!(judge_bytes(PLAN, armored.as_bytes(), &allowed).is_good());
    for plan in [&PLAN[..PLAN.len() - 1], &[PLAN, b"\n"].concat(), b""] {
        bad(&judge_bytes(plan, armored.as_bytes(), &allowed));
    }
}

#[test]
fn damaged_armor_is_never_good_over_another_plan_and_never_panics() {
    let Some(keys) = Keygen::found() else { return };
    let (armored, allowed) = pair(&keys, &["ed25519"]);
    for at in 0..armored.len() {
        for byte in [0, b'\n', b'-', b'=', b'A', 0xff] {
            let mut damaged = armored.clone().into_bytes();
            damaged[at] = byte;
            assert!(!judge_bytes(b"{}", &damaged, &allowed).is_good());
        }
        let cut = judge_bytes(PLAN, &armored.as_bytes()[..at], &allowed);
        assert!(at >= armored.trim_end().len() || matches!(cut, Verdict::Bad { .. }), "cut at {at}: {cut:?}");
    }
    for nothing in
        ["", "\n", "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n"]
    {
        bad(&judge_bytes(PLAN, nothing.as_bytes(), &allowed));
    }
    bad(&judge_bytes(PLAN, &vec![b'-'; 1 << 20], &allowed));
}

#[test]
fn each_changed_byte_inside_a_signature_makes_it_count_for_nothing() {
    let Some(keys) = Keygen::found() else { return };
    for kind in [&["ed25519"] as &[&str], &["ecdsa", "-b", "256"], &["rsa", "-b", "2048"]] {
        for file in ["k", "k.pub"] {
            std::fs::remove_file(keys.path(file)).ok();
        }
        let (armored, allowed) = pair(&keys, kind);
        let raw = SshSig::from_pem(&armored).unwrap().encode_vec().unwrap();
        assert!(judge_bytes(PLAN, armor(&raw).as_bytes(), &allowed).is_good());
        for at in 0..raw.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = raw.clone();
                damaged[at] ^= change;
                let verdict = judge_bytes(PLAN, armor(&damaged).as_bytes(), &allowed);
                assert!(!verdict.is_good(), "{kind:?} byte {at} ^ {change:x}");
            }
        }
    }
}

#[test]
fn a_signature_by_one_key_that_names_another_is_bad() {
    let Some(keys) = Keygen::found() else { return };
    let (armored, allowed) = pair(&keys, &["ed25519"]);
    keys.key("mallory", &["ed25519"], "");
    let own = SshSig::from_pem(keys.sign("mallory", "mig-plan", &[], PLAN)).unwrap();
    let genuine = SshSig::from_pem(&armored).unwrap();
    let forged =
        SshSig::new(genuine.public_key().clone(), NAMESPACE, HashAlg::Sha512, own.signature().clone()).unwrap();
    let forged = forged.to_pem(LineEnding::LF).unwrap();
    assert!(bad(&judge_bytes(PLAN, forged.as_bytes(), &allowed)).contains("not over these bytes"));
}

#[test]
fn damaged_key_files_never_panic() {
    let Some(keys) = Keygen::found() else { return };
    let (_, allowed) = pair(&keys, &["ed25519"]);
    for at in 0..allowed.len() {
        for byte in [b' ', b'"', b',', b'!', b'*', b'\n', b'\\'] {
            let mut damaged = allowed.clone().into_bytes();
            damaged[at] = byte;
            let text = String::from_utf8(damaged).unwrap();
            drop(AllowedSigners::parse(&text, "allowed_signers"));
            drop(Revoked::parse(text.as_bytes(), "revoked"));
        }
    }
}

#[test]
fn damaged_private_keys_never_panic() {
    let Some(keys) = Keygen::found() else { return };
    pair(&keys, &["ed25519"]);
    let pem = keys.text("k");
    for at in (0..pem.len()).step_by(4) {
        let mut damaged = pem.clone();
        damaged.replace_range(at..=at, "A");
        drop(sign_with_key(PLAN, &damaged, || None));
    }
}

fn armor(raw: &[u8]) -> String {
    let encoded = Base64::encode_string(raw);
    let lines: Vec<_> = encoded.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}
