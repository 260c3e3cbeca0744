//! The spec language.

/// A spec file: where it is, for messages, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFile {
    /// Its path, as messages show it.
    pub path: String,
    /// Its text.
    pub text: String,
}
