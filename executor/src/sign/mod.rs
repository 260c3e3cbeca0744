//! SSH signatures over plans, and the policy that weighs them.
//!
//! A plan is signed as a file: the signature is detached, over the plan's exact bytes, in OpenSSH's own format, so that
//! `ssh-keygen -Y sign` and `ssh-keygen -Y verify` are full members of the review. Nothing here reads files; callers pass bytes.
//! The only door to the outside is the socket of an `ssh-agent`.

mod agent;
mod allowed;
mod distinct;
mod key;
mod pattern;
mod policy;
mod proof;
mod refusal;
mod revoked;
mod source;
mod stamp;
mod verify;

#[cfg(test)]
mod tests;

pub use agent::{AgentError, agent_keys, sign_with_agent};
pub use allowed::AllowedSigners;
pub use key::{SignError, SignatureFile, sign_with_key};
pub use pattern::{BadPattern, PatternList};
pub use policy::{Approval, Approver, Policy, Rule, Worst};
pub use refusal::{Reason, Refusal};
pub use revoked::Revoked;
pub use source::BadLine;
pub use verify::{Verdict, verify};

/// The SSHSIG namespace of a plan's signature: one that was made for another purpose never counts for a plan.
pub const NAMESPACE: &str = "mig-plan";
