//! Hazards: what could go wrong at a step, as stable codes; a step's class is computed from them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// How much attention a step needs. Ordered: the worst class of a plan is its maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Nothing to decide.
    Routine,
    /// Safe if you know it.
    Warning,
    /// May lose data, stop clients for long, widen access or break running clients: needs sign-off.
    Critical,
}

impl Class {
    /// The word that plans and messages use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

macro_rules! hazards {
    ($($variant:ident = $code:literal $class:ident $title:literal;)*) => {
        /// The hazard codes. Each has a page `docs/codes/CODE.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum HazardCode { $(#[doc = $title] #[serde(rename = $code)] $variant),* }

        impl HazardCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as written: `MIG-H001`.
            #[must_use]
            pub fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }

            /// The class that a step with this hazard has at least.
            #[must_use]
            pub fn class(self) -> Class { match self { $(Self::$variant => Class::$class),* } }

            /// What it is, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title),* } }
        }
    };
}

hazards! {
    DropTable = "MIG-H001" Critical "drops a table";
    DropColumn = "MIG-H002" Critical "drops a column";
    RenameTable = "MIG-H003" Critical "renames a table under running clients";
    RenameColumn = "MIG-H004" Critical "renames a column under running clients";
    RewriteUnderLock = "MIG-H005" Critical "rewrites a table under an exclusive lock";
    CastMayFail = "MIG-H006" Critical "a cast may fail or lose values";
    NeedsEmptyTable = "MIG-H007" Critical "a required column has no value for existing rows";
    NotNullMayFail = "MIG-H008" Warning "existing NULLs would stop a NOT NULL";
    CheckMayFail = "MIG-H009" Warning "existing rows may break a check";
    ForeignKeyMayFail = "MIG-H010" Warning "existing rows may break a foreign key";
    RewritesRows = "MIG-H011" Warning "updates every row, batch by batch";
    UniqueMayFail = "MIG-H012" Warning "existing duplicates would stop a unique key";
    BuildsIndex = "MIG-H013" Warning "builds an index on a table with rows";
    DropsConstraint = "MIG-H014" Warning "drops a constraint that clients may rely on";
    DropsKey = "MIG-H015" Critical "drops a primary key or unique key";
    DropsIndex = "MIG-H016" Warning "drops an index that queries may need";
    RebuildsTable = "MIG-H017" Warning "rebuilds a table in one transaction";
    AddsEnumValue = "MIG-H018" Warning "running clients may meet an enum value they do not know";
    RewritesEnum = "MIG-H019" Critical "rewrites an enum and every column of it";
    DropsView = "MIG-H020" Critical "drops a view";
    RecreatesView = "MIG-H021" Warning "drops a view and creates it again";
    DropsObject = "MIG-H022" Critical "drops an object that clients may use";
    ReplacesSource = "MIG-H023" Warning "replaces code that runs in the database";
    OverwritesValues = "MIG-H024" Warning "overwrites values in place";
    SpellingUnknown = "MIG-H025" Critical "cannot tell whether two spellings mean the same";
    NullableAgain = "MIG-H026" Warning "readers may meet NULL where there was none";
    TightensType = "MIG-H027" Critical "narrows a type";
    BlocksClients = "MIG-H028" Warning "holds a strong lock for a moment";
    ChangesAccess = "MIG-H029" Critical "changes who may see or write data";
    NoUndo = "MIG-H031" Critical "cannot be undone";
    DefaultGone = "MIG-H032" Warning "writers that relied on a default get NULL or an error";
    IdentityChange = "MIG-H033" Warning "changes how ids are given out";
    ExplicitNames = "MIG-H034" Warning "renames what error messages and ON CONFLICT may name";
    TightensRule = "MIG-H035" Warning "refuses rows that running clients may still write";
    ServedByView = "MIG-H036" Warning "serves an old name through a view";
    MovesColumn = "MIG-H037" Warning "moves a column to another type beside running clients";
    RenameValue = "MIG-H038" Critical "renames an enum value under running clients";
    PassesGuards = "MIG-H039" Warning "writes past triggers that guard a table";
    RemovesRows = "MIG-H040" Critical "removes rows that were declared";
}

impl fmt::Display for HazardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One thing that could go wrong at a step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hazard {
    /// Which.
    pub code: HazardCode,
    /// Where.
    pub at: Address,
    /// What could happen, to whom, in a sentence.
    pub says: String,
}

impl Hazard {
    /// A hazard at a place.
    pub fn new(code: HazardCode, at: &Address, says: impl Into<String>) -> Self {
        Self { code, at: at.clone(), says: says.into() }
    }
}

/// The class of a step with these hazards.
#[must_use]
pub fn class_of(hazards: &[Hazard]) -> Class {
    hazards.iter().map(|h| h.code.class()).max().unwrap_or(Class::Routine)
}
