//! The spec language: TOML to [`Document`], and a document to an [`Intent`](crate::Intent).
//!
//! Everything that is wrong is said at once, each with its place.

#[cfg(test)]
pub(crate) mod fake;
pub mod language;
mod literal;
mod names;
pub(crate) mod near;
mod node;
mod reader;
mod reference;
mod resolve;
mod schema;
mod short;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    language::ACTIONS,
    names::{quoted, write_column},
    resolve::{MISSING_PARENT, default_domain_check, reads_as_part},
};
use self::{language::SpecDocument, reader::Read as _};
pub use self::{
    node::{Entry, Said},
    reader::{Flag, List, Map, Names, Number, Scalar, Short, Text},
    reference::reference,
    resolve::resolve,
    schema::json_schema,
    short::Statements,
};
use crate::diagnostic::{self, Code, Diagnostic};

/// A spec file: where it is, for messages, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFile {
    /// Its path, as messages show it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The engine that specs are read for, among those whose names may stand before a value of their own.
#[derive(Clone, Copy, Debug)]
pub struct Engines<'a> {
    /// Its name.
    pub this: &'a str,
    /// The names of all engines that there are.
    pub all: &'a [&'a str],
}

impl<'a> Engines<'a> {
    /// An engine for whose sake alone specs are written: none says anything for another.
    #[must_use]
    pub fn only(this: &'a str) -> Self {
        Self { this, all: &[] }
    }
}

/// All spec files of a project, read for one engine; not yet checked against each other.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The files, sorted by path.
    pub files: Vec<SpecDocument>,
}

/// Reads spec files for an engine.
///
/// # Errors
/// Everything that is wrong with the syntax, the keys and the types of the values, in all files.
pub fn parse(files: &[SpecFile], engines: Engines<'_>) -> Result<Document, Vec<Diagnostic>> {
    let mut sorted: Vec<&SpecFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut reader = reader::Reader { engines, errors: Vec::new() };
    let mut document = Document::default();
    for file in sorted {
        let node = node::read(file, &mut reader.errors);
        document.files.extend(SpecDocument::read(&node, &mut reader));
    }
    let mut managing = document.files.iter().filter_map(|f| f.manage.as_ref());
    if let (Some(first), Some(second)) = (managing.next(), managing.next()) {
        let error = Diagnostic::new(Code::DeclaredTwice, "`[manage]` can be said once").at(&second.place);
        reader.errors.push(error.related(&first.place, "it is said here"));
    }
    diagnostic::sort(&mut reader.errors);
    if reader.errors.is_empty() { Ok(document) } else { Err(reader.errors) }
}
