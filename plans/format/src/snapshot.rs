//! A pulled schema as a value: what `mig pull` writes and what the compiler reads.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    address::Address, fingerprint::Fingerprint, kind::Declared, name::Name, schema::Live, sql::Sql, verify::Literal,
};

/// The format that this version writes and reads.
pub const SNAPSHOT_FORMAT: &str = "mig-snapshot/1";

/// Everything that a compile needs to know of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// [`SNAPSHOT_FORMAT`].
    pub format: String,
    /// The engine's name, as in `postgres`.
    pub engine: String,
    /// The server's version as far as it decides what SQL means: the major version.
    pub version: String,
    /// The schema that unqualified names mean; `None` where the engine has no schemas.
    pub default_schema: Option<Name>,
    /// The objects.
    pub schema: Live,
    /// What each object needs to exist, as the catalog says: objects, and columns and constraints of tables.
    pub depends: BTreeMap<Address, BTreeSet<Address>>,
    /// How texts were said when they were created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remembered: Vec<Remembered>,
    /// Runs that have begun and neither ended nor been rolled back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_runs: Vec<OpenRun>,
}

/// A record that a declared text became a catalog text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// In which object.
    pub at: Address,
    /// The fingerprint of the text as declared.
    pub said: Fingerprint,
    /// The fingerprint of the text as the catalog then gave it.
    pub catalog: Fingerprint,
    /// Where the text is a table's declared rows: the keys of those that are there because they were declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<RowKey>>,
}

impl Remembered {
    /// Takes the keys of declared rows from where a database keeps them, by the table's address.
    pub fn recall(&mut self, declared: &BTreeMap<String, Vec<RowKey>>) {
        if Declared::is_of(self) {
            self.keys = declared.get(&self.at.to_string()).cloned();
        }
    }
}

/// What a row is found by: value by column.
pub type RowKey = BTreeMap<Name, Literal>;

/// A run that is under way in a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRun {
    /// Its id.
    pub run: String,
    /// The fingerprint of its plan's bytes.
    pub plan: Fingerprint,
    /// The objects that its plan touches.
    pub reserved: BTreeSet<Address>,
}

impl Snapshot {
    /// An empty snapshot.
    #[must_use]
    pub fn empty(engine: &str, version: &str, default_schema: Option<Name>) -> Self {
        Self {
            format: SNAPSHOT_FORMAT.to_owned(),
            engine: engine.to_owned(),
            version: version.to_owned(),
            default_schema,
            schema: Live::default(),
            depends: BTreeMap::new(),
            remembered: Vec::new(),
            open_runs: Vec::new(),
        }
    }

    /// Whether a record says that `catalog` is what became of `said` in an object.
    #[must_use]
    pub fn remembers(&self, at: &Address, said: &Sql, catalog: &Sql) -> bool {
        let (said, catalog) = (Fingerprint::of_bytes(said.0.as_bytes()), Fingerprint::of_bytes(catalog.0.as_bytes()));
        self.remembered.iter().any(|r| r.at == *at && r.said == said && r.catalog == catalog)
    }

    /// What is remembered of a table's declared rows.
    #[must_use]
    pub fn declared(&self, table: &Address) -> Option<Declared> {
        self.remembered.iter().filter(|record| record.at == *table).find_map(Declared::recorded)
    }

    /// The bytes of a snapshot file: pretty JSON with a final newline.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("the model's types always encode");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a snapshot file.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|e| format!("not a mig snapshot: {e}"))?;
        if head.format != SNAPSHOT_FORMAT {
            return Err(format!("its format is `{}`; this mig reads `{SNAPSHOT_FORMAT}`", head.format));
        }
        serde_json::from_slice(bytes).map_err(|e| format!("not a mig snapshot: {e}"))
    }
}
