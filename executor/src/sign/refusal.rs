//! Why a plan may not run, told to the person who tried.

use std::fmt;

use super::policy::{Approver, Worst};

/// A plan that its signatures do not admit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// At least one signature is bad. It has to go before anything counts.
    #[error(fmt = bad)]
    Bad {
        /// Each bad signature.
        files: Vec<Reason>,
    },
    /// Too few distinct people signed.
    #[error(fmt = too_few)]
    TooFew {
        /// The plan's class.
        worst: Worst,
        /// How many it needs.
        needed: u32,
        /// Whose signatures count; anybody among the allowed signers if there is none.
        from: Option<String>,
        /// Who counted.
        counted: Vec<Approver>,
        /// Why the other signatures did not count.
        others: Vec<Reason>,
    },
}

/// Why a signature is bad or does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The signature's file.
    pub file: String,
    /// A lower-case fragment.
    pub why: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.why)
    }
}

fn bad(files: &[Reason], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match files {
        [one] => write!(f, "a signature is bad: {one}"),
        many => {
            write!(f, "{} signatures are bad:", many.len())?;
            many.iter().try_for_each(|reason| write!(f, "\n  {reason}"))
        }
    }
}

fn too_few(
    worst: &Worst,
    needed: &u32,
    from: &Option<String>,
    counted: &[Approver],
    others: &[Reason],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let signers = if *needed == 1 { "one signer".to_owned() } else { format!("{needed} distinct signers") };
    let class = if *worst == Worst::Warning { "plan with warnings".to_owned() } else { format!("{worst} plan") };
    write!(f, "a {class} needs {signers}")?;
    if let Some(from) = from {
        write!(f, " from `{from}`")?;
    }
    match counted.len() {
        0 if others.is_empty() => write!(f, ", and nobody has signed")?,
        0 => write!(f, ", and no signature counts")?,
        counted => write!(f, ", and {counted} counted")?,
    }
    counted.iter().try_for_each(|signer| write!(f, "\n  counted: {signer}"))?;
    others.iter().try_for_each(|reason| write!(f, "\n  not counted: {reason}"))
}
