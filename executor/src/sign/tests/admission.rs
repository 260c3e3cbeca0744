//! From real signatures to the decision whether a plan may run.

use std::time::{Duration, SystemTime};

use super::keygen::{Keygen, run};
use super::{PLAN, bad, judge, unknown};
use crate::sign::{AllowedSigners, Policy, Refusal, Revoked, Verdict, Worst, verify};

struct Review {
    keys: Keygen,
    allowed: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Review {
    fn of(names: &[&str]) -> Option<Self> {
        let keys = Keygen::found()?;
        for name in names {
            keys.key(name, &["ed25519"], "");
        }
        let allowed = names.iter().map(|name| keys.allow(name)).collect();
        let files = names
            .iter()
            .map(|name| (format!("plan.json.{name}.sig"), keys.sign(name, "mig-plan", &[], PLAN).into_bytes()))
            .collect();
        Some(Self { keys, allowed, files })
    }

    fn verdicts(&self, revoked: &str) -> Vec<Verdict> {
        let allowed = AllowedSigners::parse(&self.allowed, "allowed_signers").unwrap();
        let revoked = Revoked::parse(revoked.as_bytes(), "revoked").unwrap();
        verify(PLAN, &self.files, &allowed, &revoked, SystemTime::now())
    }
}

fn policy(json: &str) -> Policy {
    serde_json::from_str(json).unwrap()
}

#[test]
fn two_people_admit_a_critical_plan_and_one_does_not() {
    let Some(review) = Review::of(&["alice", "bob"]) else { return };
    let policy = policy(r#"{"critical": {"signers": 2}}"#);
    let verdicts = review.verdicts("");
    let approval = policy.decide(Worst::Critical, &verdicts).unwrap();
    assert_eq!(approval.signers.len(), 2);
    assert_eq!(approval.signers[0].principal, "alice@example.com");
    let refusal = policy.decide(Worst::Critical, &verdicts[..1]).unwrap_err();
    let Refusal::TooFew { needed: 2, counted, .. } = &refusal else { panic!("{refusal}") };
    assert_eq!(counted.len(), 1);
    assert!(
        refusal.to_string().starts_with("a critical plan needs 2 distinct signers, and 1 counted\n  counted: alice@")
    );
    assert!(policy.decide(Worst::Warning, &verdicts[..1]).is_ok());
    assert_eq!(
        policy.decide(Worst::Routine, &[]).unwrap_err().to_string(),
        "a routine plan needs one signer, and nobody has signed"
    );
}

#[test]
fn the_same_person_or_key_counts_once() {
    let Some(mut review) = Review::of(&["alice", "bob"]) else { return };
    let policy = policy(r#"{"signers": 2}"#);
    let both = review.allowed.clone();
    review.allowed = both.replace("bob@example.com ssh", "alice@example.com ssh");
    let refusal = policy.decide(Worst::Routine, &review.verdicts("")).unwrap_err().to_string();
    assert!(refusal.contains("plan.json.bob.sig: alice@example.com counts once"), "{refusal}");
    review.allowed = both;
    review.files[1] = ("plan.json.copy.sig".to_owned(), review.files[0].1.clone());
    let refusal = policy.decide(Worst::Routine, &review.verdicts("")).unwrap_err().to_string();
    assert!(refusal.contains("plan.json.copy.sig: the same key as plan.json.alice.sig"), "{refusal}");
    review.allowed.push_str(&review.keys.allow("alice").replace("alice@example.com ssh", "carol@example.com ssh"));
    assert!(policy.decide(Worst::Routine, &review.verdicts("")).is_err(), "one key under two principals");
}

#[test]
fn only_the_asked_for_principals_count() {
    let Some(mut review) = Review::of(&["alice", "bob"]) else { return };
    review.allowed = review.allowed.replace("bob@example.com ssh", "bob@dba.example.com ssh");
    let policy = policy(r#"{"critical": {"from": ["*@dba.example.com"]}}"#);
    let approval = policy.decide(Worst::Critical, &review.verdicts("")).unwrap();
    assert_eq!(approval.signers.len(), 1);
    assert_eq!(approval.signers[0].principal, "bob@dba.example.com");
    let refusal = policy.decide(Worst::Critical, &review.verdicts("")[..1]).unwrap_err().to_string();
    assert!(refusal.contains("from `*@dba.example.com`, and no signature counts"), "{refusal}");
    assert!(refusal.contains("alice@example.com is not among `*@dba.example.com`"), "{refusal}");
    assert!(policy.decide(Worst::Warning, &review.verdicts("")[..1]).is_ok());
}

#[test]
fn a_revoked_key_refuses_the_plan_whoever_else_signed() {
    let Some(review) = Review::of(&["alice", "bob"]) else { return };
    let listing = run(&["-l", "-f", review.keys.path("bob.pub").to_str().unwrap()], b"").stdout;
    let listing = String::from_utf8(listing).unwrap();
    for revoked in [review.keys.text("bob.pub"), listing.split_whitespace().nth(1).unwrap().to_owned()] {
        let verdicts = review.verdicts(&revoked);
        assert!(verdicts[0].is_good());
        assert!(bad(&verdicts[1]).contains("is revoked"));
        let refusal = Policy::default().decide(Worst::Routine, &verdicts).unwrap_err();
        assert!(matches!(refusal, Refusal::Bad { .. }));
        assert!(refusal.to_string().starts_with("a signature is bad: plan.json.bob.sig: its key SHA256:"), "{refusal}");
    }
}

#[test]
fn an_expired_signer_does_not_count_and_does_not_refuse() {
    let Some(mut review) = Review::of(&["alice", "bob"]) else { return };
    review.allowed = review.allowed.replace("bob@example.com ssh", "bob@example.com valid-before=\"20200101Z\" ssh");
    let verdicts = review.verdicts("");
    assert!(unknown(&verdicts[1]).contains("expired: it was valid before 2020-01-01"));
    assert!(Policy::default().decide(Worst::Critical, &verdicts).is_ok());
    let refusal = policy(r#"{"signers": 2}"#).decide(Worst::Critical, &verdicts).unwrap_err().to_string();
    assert!(refusal.contains("not counted: plan.json.bob.sig: allowed_signers:2: the key has expired"), "{refusal}");
    let allowed = AllowedSigners::parse(&review.allowed, "allowed_signers").unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    assert!(verify(PLAN, &review.files, &allowed, &Revoked::default(), then)[1].is_good());
}

#[test]
fn certificates_are_not_relied_on_yet() {
    let Some(keys) = Keygen::found() else { return };
    let authority = keys.key("ca", &["ed25519"], "");
    keys.key("carol", &["ed25519"], "");
    let (ca, carol) = (keys.path("ca"), keys.path("carol.pub"));
    run(&["-q", "-s", ca.to_str().unwrap(), "-I", "carol", "-n", "carol@example.com", carol.to_str().unwrap()], b"");
    // Signing with the certificate's file uses the private key beside it.
    std::fs::copy(keys.path("carol"), keys.path("carol-cert")).unwrap();
    let armored = keys.sign("carol-cert.pub", "mig-plan", &[], PLAN);
    let allowed = format!("*@example.com cert-authority {authority}");
    assert!(
        keys.accepts(&allowed, "carol@example.com", &armored, PLAN),
        "the signature really is one by a certificate"
    );
    assert!(unknown(&judge(&armored, &allowed)).contains("certificate"));
    let listed = AllowedSigners::parse(&allowed, "allowed_signers").unwrap();
    assert!(listed.ignored()[0].to_string().contains("allowed_signers:1: cert-authority is not supported yet"));
    let signature = [("s".to_owned(), armored.into_bytes())];
    for revoked in [&authority, &keys.text("carol.pub")] {
        let revoked = Revoked::parse(revoked.as_bytes(), "revoked").unwrap();
        assert!(bad(&verify(PLAN, &signature, &listed, &revoked, SystemTime::now())[0]).contains("revoked"));
    }
}

#[test]
fn a_worse_plan_never_needs_less() {
    let policy = policy(r#"{"warning": {"signers": 3, "from": ["*@dba"]}, "critical": {"signers": 2}}"#);
    assert_eq!([Worst::Routine, Worst::Warning, Worst::Critical].map(|worst| policy.needed(worst)), [1, 3, 3]);
    assert!(policy.needed_from(Worst::Routine).is_none());
    assert_eq!(policy.needed_from(Worst::Critical).unwrap().to_string(), "*@dba");
    assert_eq!(Policy::default().needed(Worst::Critical), 1);
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    assert!(serde_json::from_str::<Policy>(r#"{"critcal": {"signers": 2}}"#).is_err(), "a slip must not weaken");
    assert!(serde_json::from_str::<Policy>(r#"{"from": []}"#).is_err());
}
