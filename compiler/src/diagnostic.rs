//! What the compiler has to say to people: errors, warnings and notes, each with a stable code and a place in the specs.

use std::{fmt, ops::Range, sync::Arc};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Compiles, and is probably not what was meant.
    Warning,
    /// Does not compile.
    Error,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Another place that matters to a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The spec file.
    pub path: String,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// What is there, in a few words.
    pub label: String,
}

/// One thing that the compiler has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code; see [`Code`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub says: String,
    /// The spec file, if it is about one.
    pub path: Option<String>,
    /// Bytes of that file.
    pub span: Option<Range<usize>>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that matter.
    pub related: Vec<Related>,
}

impl Diagnostic {
    /// A diagnostic of the code's own severity, without a place.
    #[must_use]
    pub fn new(code: Code, says: impl Into<String>) -> Self {
        Self {
            code: code.code(),
            severity: code.severity(),
            says: says.into(),
            path: None,
            span: None,
            help: None,
            related: Vec::new(),
        }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.path = Some(place.path().to_owned());
        self.span = Some(place.span());
        self
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with another place that matters.
    #[must_use]
    pub fn related(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.related.push(Related { path: place.path().to_owned(), span: place.span(), label: label.into() });
        self
    }
}

/// Puts diagnostics into the order of the files that they are about.
pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        let place = |d: &Diagnostic| d.span.as_ref().map(|span| span.start);
        a.path.cmp(&b.path).then(place(a).cmp(&place(b)))
    });
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity.word(), self.code, self.says)
    }
}

impl std::error::Error for Diagnostic {}

/// A place in the specs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Everything in a file shares its path. There are as many places as words in the specs: they are kept small.
    path: Arc<String>,
    start: u32,
    end: u32,
}

impl Place {
    /// A place in a file.
    pub fn new(path: impl Into<Arc<String>>, span: Range<usize>) -> Self {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { path: path.into(), start: byte(span.start), end: byte(span.end) }
    }

    /// The spec file.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes of the file.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        let byte = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        byte(self.start)..byte(self.end)
    }
}

macro_rules! codes {
    ($($variant:ident = $code:literal $severity:ident $title:literal;)*) => {
        /// The codes of everything that the compiler says. Each has a page `docs/codes/CODE.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as written: `MIG-E001`.
            #[must_use]
            pub fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity { match self { $(Self::$variant => Severity::$severity),* } }

            /// What it is, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title),* } }
        }
    };
}

codes! {
    Syntax = "MIG-E001" Error "not TOML";
    UnknownKey = "MIG-E002" Error "a key that the language does not have";
    WrongType = "MIG-E003" Error "a value of the wrong type";
    MissingKey = "MIG-E004" Error "a key that must be there is missing";
    BadValue = "MIG-E005" Error "a value that is not one of those allowed";
    BadName = "MIG-E006" Error "not a name";
    DeclaredTwice = "MIG-E007" Error "one name declared twice";
    NotForEngine = "MIG-E008" Error "no value for this engine";
    Contradiction = "MIG-E009" Error "two keys that exclude each other";
    UnknownType = "MIG-E010" Error "a type that nobody knows";
    UnknownTable = "MIG-E011" Error "a table that is not declared";
    UnknownColumn = "MIG-E012" Error "a column that is not declared";
    KeyMismatch = "MIG-E013" Error "a foreign key that does not fit what it refers to";
    NameTaken = "MIG-E014" Error "a name that another object has";
    RenamedTwice = "MIG-E015" Error "two renames from one source";
    NameRefused = "MIG-E016" Error "a name that the engine cannot have";
    EngineCannot = "MIG-E017" Error "something that the engine cannot have or do";
    DeclaredAndRemoved = "MIG-E018" Error "an object both declared and removed";
    NotManaged = "MIG-E019" Error "an object declared outside of what is managed";
    RenameTargetTaken = "MIG-E021" Error "a rename onto a name that is taken";
    OverlapsOpenRun = "MIG-E023" Error "an open run reserves what the plan would touch";
    Cycle = "MIG-E024" Error "steps that need each other";
    NotProved = "MIG-E025" Error "the plan does not lead to the goal";
    UnknownNeed = "MIG-E027" Error "an object needs something that is not declared";
    SqlNotHere = "MIG-E028" Error "SQL that may not stand here";
    RenameDone = "MIG-N001" Note "a rename that is done";
    RenameSourceGone = "MIG-N002" Warning "a rename from something that is not there";
    LikelyRename = "MIG-N003" Note "a drop and an add that look like a rename";
    FillUnused = "MIG-N004" Note "a transform with nothing left to do";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|c| c.code()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
