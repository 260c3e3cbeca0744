//! Steps: a typed change with everything that the executor needs to carry it out, ask for it, and take it back.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    address::Address,
    fingerprint::Fingerprint,
    hazard::{Class, Hazard},
    kind::Kind,
    schema::Object,
};

/// A step's name: address, slug and four hex digits of content, never a sequence number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The part of a run that a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Adds what old clients do not notice.
    Expand,
    /// Moves data, in batches.
    Backfill,
    /// Flips names and definitions: metadata only.
    Switch,
    /// Removes the old, and tightens.
    Contract,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 4] = [Self::Expand, Self::Backfill, Self::Switch, Self::Contract];

    /// The word that plans and options use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Backfill => "backfill",
            Self::Switch => "switch",
            Self::Contract => "contract",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One SQL statement, written into plan files as a list of its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Statement(Vec<String>);

impl Statement {
    /// A statement from its text, without a final semicolon.
    pub fn new(sql: impl AsRef<str>) -> Self {
        Self(sql.as_ref().split('\n').map(str::to_owned).collect())
    }

    /// The text.
    #[must_use]
    pub fn sql(&self) -> String {
        self.0.join("\n")
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

/// How long a step may wait and work, in milliseconds; `0` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Waiting for one lock.
    pub lock_ms: u32,
    /// One statement.
    pub statement_ms: u32,
    /// How often a step that waited too long for a lock is tried again.
    pub attempts: u32,
}

/// What the executor does at a step: fully rendered, nothing left to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Statements in one transaction, together with the step's journal entry.
    Transaction(Transaction),
    /// One statement that the engine refuses inside a transaction, or that commits by itself.
    Statement(Single),
    /// Batches over a table, each in a transaction with its cursor.
    Batches(Batches),
    /// Nothing: the change is a matter of record.
    Nothing {},
}

/// Statements in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// Session settings that must be made outside the transaction, before it, and questions that take long: an error is the answer no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<Statement>,
    /// Takes the locks that the statements need, before the probe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lock: Vec<Statement>,
    /// The rows that get no values; asked before the statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects: Option<Rejects>,
    /// The statements.
    pub sql: Vec<Statement>,
    /// Queries that must return no row, asked before the commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<Statement>,
    /// Puts the session settings back, after the transaction, whether it committed or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<Statement>,
    /// Limits of each statement.
    pub limits: Limits,
}

/// One statement outside any transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Single {
    /// Statements before it, each by itself, that change no shape and may be run again and again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<Statement>,
    /// The statement.
    pub sql: Statement,
    /// Puts the session back, after the statement, whether it succeeded or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<Statement>,
    /// Its limits.
    pub limits: Limits,
    /// The state that an interrupted run of it leaves behind, if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
}

/// A half-done state and the way back to the state before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    /// The touched objects as they then are.
    pub state: BTreeMap<Address, Option<Arc<Object>>>,
    /// The statement, outside any transaction, that brings back the state before.
    pub repair: Statement,
}

/// Batches over a table by an ordered key.
///
/// Parameters are positional in the engine's own syntax. `first` is for the batch without a cursor, `next` for those after it:
/// - `bound` takes the cursor's key values (only in `next`), then the number of rows, then the key values of `end` where there is one; it
///   returns one row, the greatest key of the batch, or no row when nothing is left.
/// - each statement of `sql` takes the cursor's key values (only in `next`), then the bound's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// The key columns, for people.
    pub key: Vec<String>,
    /// Rows of the first batch.
    pub rows: u32,
    /// Fewest rows of a batch.
    pub min_rows: u32,
    /// Most rows of a batch.
    pub max_rows: u32,
    /// How long a batch should take, in milliseconds; its size follows.
    pub target_ms: u32,
    /// Statements made once, in a transaction of their own, before the first batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<Statement>,
    /// Statements without parameters that open the transaction of each batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Statement>,
    /// The batch without a cursor.
    pub first: Batch,
    /// The batches after it.
    pub next: Batch,
    /// Where a pass over the table ends: one row, the greatest key; asked when the pass begins, so that it does not run after a table that
    /// grows. No row is an empty table. Without it a pass goes on for as long as there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Statement>,
    /// Whether the step is done when it has gone through every row that was there when it began: what clients have written since is another
    /// step's, or as they want it. Without it nothing may be left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaves_late: bool,
    /// The rows that get no values; asked before the first batch and after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects: Option<Rejects>,
    /// Shows a few rows with the columns that the batches read and write, for people who look before the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Statement>,
    /// Limits of each statement.
    pub limits: Limits,
}

/// Rows that a data step leaves as they are, by the rules of its transform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejects {
    /// Gives them, as they are: key as a JSON object, reason, row as a JSON object.
    pub sql: Statement,
    /// How many there may be.
    pub max: u64,
}

/// The statements of one batch; see [`Batches`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Finds where the batch ends.
    pub bound: Statement,
    /// Does the work; the last statement's count of rows is the batch's.
    pub sql: Vec<Statement>,
}

/// How the executor asks whether a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Probe {
    /// By the shape of the touched objects: `before` and `after` of the step.
    Shape {},
    /// By a query that counts what is left to do: done when it gives `0`.
    Remaining {
        /// The query: one row, one integer.
        sql: Statement,
        /// What is asked before the first batch has made what the query reads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Until>,
    },
}

/// A question in place of another, for as long as there is nothing that the other could be put to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Counts what the other question needs: it is put once this is above `0`.
    pub there: Statement,
    /// What is asked before.
    pub sql: Statement,
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// In words.
    pub says: String,
    /// The change that takes the effect back; none for data and for what leaves with another step's undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Kind>,
    /// What is run.
    pub action: Action,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// The slug of its kind.
    pub kind: String,
    /// Its phase.
    pub phase: Phase,
    /// Computed from the hazards, written for readers, checked when read.
    pub class: Class,
    /// What it is for, in a sentence.
    pub why: String,
    /// The steps that it waits for, each with the reason.
    pub needs: Vec<Need>,
    /// What it locks, and whom that stops, in words.
    pub lock: String,
    /// Neighbouring steps with the same mark are one transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomic: Option<String>,
    /// Neighbouring steps with the same mark, all of them batches, may run at the same time: none waits for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether its statements are tried before the first write, after those of earlier such steps, in a transaction that is rolled back:
    /// what the database would refuse at the step, it refuses then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tried: bool,
    /// What is run.
    pub action: Action,
    /// How to ask whether it is done.
    pub probe: Probe,
    /// Fingerprint of the touched objects before it.
    pub before: Fingerprint,
    /// Fingerprint of the touched objects after it.
    pub after: Fingerprint,
    /// How it is taken back.
    pub undo: Undo,
    /// What could go wrong.
    pub hazards: Vec<Hazard>,
    /// Statements that really drop what the step keeps for its undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gc: Vec<Statement>,
    /// The change as a value; SQL was rendered from it.
    pub change: Kind,
}

/// A step waits for another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// For which.
    pub step: StepId,
    /// Why, as the ordering rule says it.
    pub because: String,
}
