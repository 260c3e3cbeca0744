//! The spec language.

/// A spec file: where it is, for messages, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFile {
    /// Its path, as messages show it.
    pub path: String,
    /// Its text.
    pub text: String,
}

#[derive(Debug)] pub struct Document;
pub fn parse(_: &[SpecFile], _: &str) -> Result<Document, Vec<crate::Diagnostic>> { Ok(Document) }
pub fn resolve(_: &Document, _: &dyn mig_plan::Dialect) -> Result<crate::Intent, Vec<crate::Diagnostic>> { Err(vec![]) }
