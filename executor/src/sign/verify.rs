//! One verdict for each signature file beside a plan.

use std::fmt;
use std::time::SystemTime;

use ssh_key::{SshSig, public::KeyData};

use super::NAMESPACE;
use super::allowed::{AllowedSigners, fingerprint};
use super::pattern::PatternList;
use super::proof::{self, Fault};
use super::revoked::Revoked;

/// No signature comes near this size; what is larger is not parsed.
const LARGEST: usize = 64 * 1024;

/// What a signature file is worth. Bad refuses the plan, unknown does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A genuine signature over this plan by an allowed key.
    Good {
        /// The signature's file.
        file: String,
        /// Whom the key may sign for: the principals of each line of the allowed signers that allows it now. At least one.
        principals: Vec<PatternList>,
        /// The key, as `SHA256:...`.
        fingerprint: String,
    },
    /// A genuine signature over this plan by somebody who is not, or no longer, allowed; or of a kind that is not relied on.
    Unknown {
        /// The signature's file.
        file: String,
        /// Why it does not count, as a lower-case fragment.
        why: String,
        /// The key, as `SHA256:...`.
        fingerprint: String,
    },
    /// Not a signature, not over this plan, or by a revoked key.
    Bad {
        /// The signature's file.
        file: String,
        /// What is wrong, as a lower-case fragment.
        why: String,
    },
}

impl Verdict {
    /// The signature's file.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::Good { file, .. } | Self::Unknown { file, .. } | Self::Bad { file, .. } => file,
        }
    }

    /// Whether the signature is genuine, over this plan, and by an allowed key.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Good { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { file, principals, fingerprint } => {
                let who = principals.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                write!(f, "{file}: good, {who} ({fingerprint})")
            }
            Self::Unknown { file, why, fingerprint } => write!(f, "{file}: unknown, {why} ({fingerprint})"),
            Self::Bad { file, why } => write!(f, "{file}: bad, {why}"),
        }
    }
}

/// Judges each signature file (its name and its bytes) over a plan's exact bytes, in the order given.
///
/// Any bytes are safe to pass; what cannot be read is bad.
#[must_use]
pub fn verify(
    plan_bytes: &[u8],
    signatures: &[(String, Vec<u8>)],
    allowed: &AllowedSigners,
    revoked: &Revoked,
    now: SystemTime,
) -> Vec<Verdict> {
    let judge = |(file, bytes): &(String, Vec<u8>)| one(plan_bytes, file, bytes, (allowed, revoked, now));
    signatures.iter().map(judge).collect()
}

fn one(plan: &[u8], file: &str, bytes: &[u8], rules: (&AllowedSigners, &Revoked, SystemTime)) -> Verdict {
    let file = file.to_owned();
    let (allowed, revoked, now) = rules;
    let sig = match read(bytes) {
        Ok(sig) => sig,
        Err(why) => return Verdict::Bad { file, why },
    };
    let fingerprint = fingerprint(sig.public_key());
    match faults(plan, &sig, revoked) {
        Err(Fault::Bad(why)) => Verdict::Bad { file, why },
        Err(Fault::Unsupported(why)) => Verdict::Unknown { file, why, fingerprint },
        Ok(()) => match allowed.principals(sig.public_key(), now) {
            Ok(principals) => Verdict::Good { file, principals, fingerprint },
            Err(why) => Verdict::Unknown { file, why, fingerprint },
        },
    }
}

fn read(bytes: &[u8]) -> Result<SshSig, String> {
    if bytes.len() > LARGEST {
        return Err("it is too large to be a signature".to_owned());
    }
    let sig = SshSig::from_pem(bytes.trim_ascii()).map_err(|error| format!("it is not an SSH signature: {error}"))?;
    if sig.version() != SshSig::VERSION {
        return Err(format!("its format version {} is not known", sig.version()));
    }
    if !sig.reserved().is_empty() {
        return Err("its reserved field is not empty".to_owned());
    }
    Ok(sig)
}

fn faults(plan: &[u8], sig: &SshSig, revoked: &Revoked) -> Result<(), Fault> {
    if sig.namespace() != NAMESPACE {
        let why = format!("it was made for namespace {:?}, not for `{NAMESPACE}`", sig.namespace());
        return Err(Fault::Bad(why));
    }
    if revoked.contains(sig.public_key()) {
        return Err(Fault::Bad(format!("its key {} is revoked", fingerprint(sig.public_key()))));
    }
    proof::check(plan, sig)?;
    if matches!(sig.public_key(), KeyData::Certificate(_)) {
        let why = "it was made with a certificate, which is not supported yet: sign with the key itself";
        return Err(Fault::Unsupported(why.to_owned()));
    }
    Ok(())
}
