//! Security keys, played by software: the signature is over what the hardware would sign.

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use ssh_key::public::{Ed25519PublicKey, KeyData, SkEd25519};
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, Signature, SshSig};

use super::keygen::Keygen;
use super::{PLAN, bad, judge, judge_bytes, unknown};
use crate::sign::NAMESPACE;

/// A signature of [`PLAN`] with the given flags, and the line that allows its key.
fn signed(flags: u8) -> (String, String) {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let point = Ed25519PublicKey::try_from(pair.public_key().as_ref()).unwrap();
    let key = KeyData::SkEd25519(SkEd25519::new(point, "ssh:"));
    let data = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, PLAN).unwrap();
    let trailer = [flags, 0, 0, 0, 7];
    let message = [digest(&SHA256, b"ssh:").as_ref(), &trailer, digest(&SHA256, &data).as_ref()].concat();
    let raw = [pair.sign(&message).as_ref(), &trailer].concat();
    let signature = Signature::new(Algorithm::SkEd25519, raw).unwrap();
    let sig = SshSig::new(key.clone(), NAMESPACE, HashAlg::Sha512, signature).unwrap();
    let allowed = format!("alice {}\n", PublicKey::from(key).to_openssh().unwrap());
    (sig.to_pem(LineEnding::LF).unwrap(), allowed)
}

#[test]
fn a_touched_key_is_good_here_and_for_ssh_keygen() {
    let (armored, allowed) = signed(1);
    assert!(judge(&armored, &allowed).is_good());
    assert!(bad(&judge_bytes(b"{}", armored.as_bytes(), &allowed)).contains("not over these bytes"));
    let Some(keys) = Keygen::found() else { return };
    assert!(keys.accepts(&allowed, "alice", &armored, PLAN));
}

#[test]
fn an_untouched_key_does_not_count() {
    let (armored, allowed) = signed(0);
    assert!(unknown(&judge(&armored, &allowed)).contains("without being touched"));
}
