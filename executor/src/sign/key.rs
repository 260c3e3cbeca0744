//! Signing with a private key in OpenSSH's format, and the signature file that comes of it.

use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};
use zeroize::Zeroizing;

use super::NAMESPACE;
use super::agent::AgentError;
use super::allowed::bare;
use super::proof::{self, Fault};

/// The longest signer's name that goes into a file name.
const LONGEST_NAME: usize = 64;

/// A signature to be written beside the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureFile {
    /// The key's comment, made safe for a file name; without a comment, the key's SHA-256 fingerprint in hex.
    /// Two keys may have the same comment: look before overwriting a file that holds another key's signature.
    pub signer: String,
    /// The key's SHA-256 fingerprint as OpenSSH prints it, `SHA256:...`.
    pub fingerprint: String,
    /// The armored signature, with a final newline.
    pub armored: String,
}

impl SignatureFile {
    /// The name of the signature's file: `plan.json` gives `plan.json.<signer>.sig`.
    #[must_use]
    pub fn file_name(&self, plan_file: &str) -> String {
        format!("{plan_file}.{}.sig", self.signer)
    }

    /// Checks and armors a signature that was just made. A signer that does not do what it was asked is found here.
    pub(crate) fn new(plan: &[u8], key: &PublicKey, sig: &SshSig) -> Result<Self, SignError> {
        proof::check(plan, sig).map_err(|fault| {
            let (Fault::Bad(why) | Fault::Unsupported(why)) = fault;
            SignError::Unsound { why }
        })?;
        let armored = sig.to_pem(LineEnding::LF).map_err(|source| SignError::Crypto { source })?;
        let fingerprint = bare(key.key_data()).fingerprint(HashAlg::Sha256);
        let signer = file_part(key.comment().as_str_lossy())
            .unwrap_or_else(|| fingerprint.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect());
        Ok(Self { signer, fingerprint: fingerprint.to_string(), armored })
    }
}

/// Why a plan could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The text is a public key.
    #[error(
        "this is a public key: give the private key, whose file has the same name without `.pub`, or use ssh-agent"
    )]
    PublicHalf,
    /// The text is a private key in another program's format.
    #[error("this private key is not in OpenSSH's format: `ssh-keygen -p -f KEY` rewrites it in place")]
    OtherFormat,
    /// The text is no private key.
    #[error("this is not a private key that OpenSSH would read: {source}")]
    NotAKey {
        /// What the parser says.
        source: ssh_key::Error,
    },
    /// The key can only be used through an agent.
    #[error(
        "{algorithm} keys sign through ssh-agent only: run `ssh-add KEY` and sign with the agent, or run `ssh-keygen -Y sign -n mig-plan -f KEY PLAN`"
    )]
    NeedsAgent {
        /// As OpenSSH names it.
        algorithm: String,
    },
    /// Signatures of this key would not count.
    #[error("signatures of this key would not count: {why}")]
    Unsupported {
        /// What is not supported.
        why: String,
    },
    /// The key is encrypted, and nobody gave a passphrase.
    #[error("the private key is encrypted and needs its passphrase")]
    NoPassphrase,
    /// The passphrase does not open the key.
    #[error("the passphrase does not open the private key")]
    WrongPassphrase,
    /// The public key cannot be read.
    #[error("{why}")]
    PublicKey {
        /// What is wrong, as a lower-case fragment.
        why: String,
    },
    /// The agent did not sign.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The signature that was made does not verify.
    #[error("the signature that was made does not verify: {why}")]
    Unsound {
        /// What is wrong with it.
        why: String,
    },
    /// The arithmetic failed.
    #[error("cannot make a signature: {source}")]
    Crypto {
        /// What the library says.
        source: ssh_key::Error,
    },
}

/// Signs a plan's exact bytes with a private key's text. `passphrase` is called only when the key is encrypted.
///
/// # Errors
/// When the text is not a usable private key, when its passphrase is missing or wrong, and for RSA and security keys, which
/// sign through an agent only.
pub fn sign_with_key(
    plan_bytes: &[u8],
    private_key_pem: &str,
    passphrase: impl FnOnce() -> Option<Zeroizing<String>>,
) -> Result<SignatureFile, SignError> {
    let key = open(private_key_pem, passphrase)?;
    let sig = key.sign(NAMESPACE, HashAlg::Sha512, plan_bytes).map_err(|source| SignError::Crypto { source })?;
    SignatureFile::new(plan_bytes, key.public_key(), &sig)
}

fn open(pem: &str, passphrase: impl FnOnce() -> Option<Zeroizing<String>>) -> Result<PrivateKey, SignError> {
    let key = PrivateKey::from_openssh(pem.trim()).map_err(|source| not_a_key(pem, source))?;
    signs_here(key.public_key().key_data())?;
    if !key.is_encrypted() {
        return Ok(key);
    }
    let passphrase = passphrase().ok_or(SignError::NoPassphrase)?;
    let opened = key.decrypt(passphrase.as_bytes()).map_err(|source| match source {
        ssh_key::Error::Crypto => SignError::WrongPassphrase,
        source => SignError::Crypto { source },
    })?;
    // The public half outside the encrypted part chose how the key is used; the opened key has the last word.
    signs_here(opened.public_key().key_data())?;
    Ok(opened)
}

fn not_a_key(text: &str, source: ssh_key::Error) -> SignError {
    let text = text.trim_start();
    if super::source::begins_key(text) {
        SignError::PublicHalf
    } else if (text.starts_with("-----BEGIN ") && !text.starts_with("-----BEGIN OPENSSH PRIVATE KEY"))
        || text.starts_with("PuTTY-User-Key-File")
    {
        SignError::OtherFormat
    } else {
        SignError::NotAKey { source }
    }
}

fn signs_here(key: &KeyData) -> Result<(), SignError> {
    if let Err(Fault::Bad(why) | Fault::Unsupported(why)) = proof::supported(key) {
        return Err(SignError::Unsupported { why });
    }
    match key {
        KeyData::Ed25519(_) => Ok(()),
        KeyData::Ecdsa(ecdsa) if ecdsa.curve() == EcdsaCurve::NistP256 => Ok(()),
        other => Err(SignError::NeedsAgent { algorithm: other.algorithm().to_string() }),
    }
}

/// A comment as part of a file name: letters, digits and `@._+-`; the rest becomes one `-`. None when nothing is left.
fn file_part(comment: &str) -> Option<String> {
    let mut part = String::new();
    for c in comment.chars().take(LONGEST_NAME) {
        if c.is_ascii_alphanumeric() || "@._+".contains(c) {
            part.push(c);
        } else if !part.ends_with('-') {
            part.push('-');
        }
    }
    let part = part.trim_matches(['-', '.']);
    (!part.is_empty()).then(|| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_safe_file_names() {
        for (comment, expected) in [
            ("alice@example.com", Some("alice@example.com")),
            ("Alice's key (work)", Some("Alice-s-key-work")),
            ("../../etc/passwd", Some("etc-passwd")),
            ("  ", None),
            ("", None),
            ("..", None),
            ("ключ", None),
            ("-x", Some("x")),
        ] {
            assert_eq!(file_part(comment).as_deref(), expected, "{comment}");
        }
        assert_eq!(file_part(&"x".repeat(500)).unwrap().len(), LONGEST_NAME);
    }

    #[test]
    fn what_is_not_a_private_key_is_named() {
        let none = || -> Option<Zeroizing<String>> { panic!("no passphrase is needed to refuse") };
        let error = |text: &str| sign_with_key(b"{}", text, none).unwrap_err();
        let public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti a";
        assert!(matches!(error(public), SignError::PublicHalf));
        assert!(matches!(error("-----BEGIN RSA PRIVATE KEY-----\n"), SignError::OtherFormat));
        assert!(matches!(error("hello"), SignError::NotAKey { .. }));
        assert!(matches!(error(""), SignError::NotAKey { .. }));
    }
}
