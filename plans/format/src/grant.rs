//! Grants: who else than its owner may do what with an object, where that is not the engine's own default.

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// The grantee that stands for everyone.
pub const PUBLIC: &str = "public";

/// One privilege of one role on an object or one of its columns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The role, or [`PUBLIC`].
    pub to: String,
    /// The privilege, in lower case.
    pub privilege: String,
    /// The column that it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Name>,
    /// What is said of it.
    pub rule: GrantRule,
}

/// What is said of a privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantRule {
    /// The role has not got it, though the engine's default would give it.
    Revoked,
    /// The role has it.
    Granted,
    /// The role has it and may pass it on.
    WithGrantOption,
}
