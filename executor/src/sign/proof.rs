//! The arithmetic of one signature: whether a key made it over these bytes. Nothing about people.

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents};
use ssh_key::public::{KeyData, RsaPublicKey};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, PublicKey, SshSig};

use super::NAMESPACE;
use super::allowed::bare;

/// Why a signature proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is wrong, or unfit for its purpose.
    Bad(String),
    /// It may be right, but of a kind that is not relied on here.
    Unsupported(String),
}

/// Bit of a security key's flags: a person touched it.
const USER_PRESENT: u8 = 1;
/// Bytes that end a security key's signature: flags, then a counter.
const SECURITY_TRAILER: usize = 5;

/// Checks that the key inside `sig` made it over `plan` as a plan's signature.
pub(crate) fn check(plan: &[u8], sig: &SshSig) -> Result<(), Fault> {
    let key = bare(sig.public_key());
    let algorithm = sig.signature().algorithm();
    supported(key)?;
    if !fits(key, &algorithm) {
        return Err(Fault::Bad(format!(
            "its algorithm `{}` does not fit its {} key",
            shown(&algorithm),
            shown(&key.algorithm())
        )));
    }
    let genuine = match key {
        KeyData::Rsa(rsa) => rsa_holds(rsa, plan, sig)?,
        _ => plain_holds(key, plan, sig),
    };
    if !genuine {
        let why =
            "it is not over these bytes: the plan was changed after it was signed, or this belongs to another plan";
        return Err(Fault::Bad(why.to_owned()));
    }
    touched(key, sig)
}

/// Whether signatures of this key can be checked here at all.
pub(crate) fn supported(key: &KeyData) -> Result<(), Fault> {
    let unsupported = |why: String| Err(Fault::Unsupported(why));
    match key {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Ecdsa(ecdsa) if ecdsa.curve() == EcdsaCurve::NistP256 => Ok(()),
        KeyData::Rsa(rsa) if !(2048..=8192).contains(&rsa.key_size()) => {
            unsupported(format!("RSA keys of {} bits are not supported, only 2048 to 8192", rsa.key_size()))
        }
        KeyData::Rsa(_) => Ok(()),
        other => unsupported(format!(
            "{} keys are not supported: use ed25519, ECDSA P-256, RSA, or a security key",
            shown(&other.algorithm())
        )),
    }
}

/// An algorithm's name. It may come from a stranger's file, so nothing in it may steer a terminal.
fn shown(algorithm: &Algorithm) -> String {
    algorithm.as_str().escape_debug().to_string()
}

fn fits(key: &KeyData, algorithm: &Algorithm) -> bool {
    match key {
        KeyData::Rsa(_) => matches!(algorithm, Algorithm::Rsa { .. }),
        other => other.algorithm() == *algorithm,
    }
}

fn plain_holds(key: &KeyData, plan: &[u8], sig: &SshSig) -> bool {
    SshSig::new(key.clone(), NAMESPACE, sig.hash_alg(), sig.signature().clone())
        .and_then(|sig| PublicKey::from(key.clone()).verify(NAMESPACE, plan, &sig))
        .is_ok()
}

fn rsa_holds(key: &RsaPublicKey, plan: &[u8], sig: &SshSig) -> Result<bool, Fault> {
    let parameters: &RsaParameters = match sig.signature().algorithm() {
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) } => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) } => &RSA_PKCS1_2048_8192_SHA256,
        other => {
            return Err(Fault::Bad(format!(
                "its algorithm `{}` hashes with SHA-1, which can be forged",
                shown(&other)
            )));
        }
    };
    let (Some(n), Some(e)) = (key.n().as_positive_bytes(), key.e().as_positive_bytes()) else {
        return Err(Fault::Bad("its RSA key is malformed".to_owned()));
    };
    let Ok(data) = SshSig::signed_data(NAMESPACE, sig.hash_alg(), plan) else { return Ok(false) };
    // Some signers drop leading zero bytes, which OpenSSH accepts and ring does not.
    let raw = sig.signature().as_bytes();
    let mut padded = vec![0; n.len().saturating_sub(raw.len())];
    padded.extend_from_slice(raw);
    Ok(RsaPublicKeyComponents { n, e }.verify(parameters, &data, &padded).is_ok())
}

fn touched(key: &KeyData, sig: &SshSig) -> Result<(), Fault> {
    if !matches!(key, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) {
        return Ok(());
    }
    let raw = sig.signature().as_bytes();
    let flags = raw.len().checked_sub(SECURITY_TRAILER).and_then(|at| raw.get(at)).copied().unwrap_or(0);
    if flags & USER_PRESENT == 0 {
        return Err(Fault::Unsupported("its security key signed without being touched".to_owned()));
    }
    Ok(())
}
