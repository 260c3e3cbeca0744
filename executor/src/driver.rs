//! What the executor needs of an engine with a connection.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use mig_plan::{
    Address, Dialect, Limits, Object, Remembered, Snapshot, StepId,
    step::{Batches, Statement},
};
use serde::{Deserialize, Serialize};

use crate::{control::Signal, doctor::Symptom, failure::Failure, journal::Entry, lookout::Lookout, rejects::Rejected};

/// One session with a database. It holds the lease, and every statement of a run goes through it.
#[async_trait]
pub trait Driver: Send {
    /// The pure half for this server: its version, its default schema.
    fn dialect(&self) -> &dyn Dialect;

    /// Whether mig may write here at all (not a standby, not a read-only file). A sentence if not.
    async fn writable(&mut self) -> Result<Result<(), String>, Failure>;

    /// The whole schema, read consistently, without mig's own objects, plus what mig remembers and which runs are open.
    async fn pull(&mut self) -> Result<Snapshot, Failure>;

    /// Some objects as they are now; absent ones are missing from the map. Inside a transaction it sees that transaction.
    async fn observe(&mut self, of: &BTreeSet<Address>) -> Result<BTreeMap<Address, Object>, Failure>;

    /// Takes the lock that only one executor can hold on this database, waiting at most `wait`. The lock belongs to this session and
    /// ends with it. Gives who holds it, in words, if it cannot be had.
    async fn lease(&mut self, wait: Duration) -> Result<Lease, Failure>;

    /// Gives the lock back.
    async fn release(&mut self) -> Result<(), Failure>;

    /// Makes mig's own tables if they are not there.
    async fn install(&mut self) -> Result<(), Failure>;

    /// This session, so that a later one can ask whether it still lives.
    async fn session(&mut self) -> Result<Session, Failure>;

    /// Waits at most `wait` until an earlier session is gone and nothing of it is still at work; ends it if it may.
    /// `false` if it still lives.
    async fn settled(&mut self, session: &Session, wait: Duration) -> Result<bool, Failure>;

    /// Whether a rollback takes back changes of the schema too, and everything else that a transaction did.
    fn undoes_ddl(&self) -> bool {
        true
    }

    /// Asks background work of the server that holds locks on objects, and gives way if asked, to do so; waits as long as that takes,
    /// in no client's way. Nothing where an engine has no such work.
    async fn make_way(&mut self, _of: &BTreeSet<Address>) -> Result<(), Failure> {
        Ok(())
    }

    /// Opens a transaction with limits for each of its statements.
    async fn begin(&mut self, limits: &Limits) -> Result<(), Failure>;

    /// Commits. [`Failure::Lost`] if no answer came.
    async fn commit(&mut self) -> Result<(), Failure>;

    /// Rolls back; also right when no transaction is open.
    async fn rollback(&mut self) -> Result<(), Failure>;

    /// Runs a statement in the open transaction, or by itself if none is open; gives the number of rows it affected.
    async fn execute(&mut self, statement: &Statement) -> Result<u64, Failure>;

    /// Runs one statement outside any transaction under limits.
    async fn execute_alone(&mut self, statement: &Statement, limits: &Limits) -> Result<u64, Failure>;

    /// Asks a read-only query: at most `most` rows, each value as text.
    async fn ask(&mut self, statement: &Statement, most: usize) -> Result<Vec<Vec<Option<String>>>, Failure>;

    /// Asks a read-only query and hands over its rows as they come, each value as text: no more than one row is held.
    async fn stream(&mut self, statement: &Statement, to: &mut dyn Rows) -> Result<(), Failure>;

    /// Does one batch in the open transaction: finds its bound, runs its statements. `None` when nothing is left up to `end`, which is the
    /// answer to the question for it, where the plan has one.
    async fn batch(
        &mut self,
        batches: &Batches,
        cursor: Option<&Cursor>,
        end: Option<&[Option<String>]>,
        rows: u32,
    ) -> Result<Option<BatchDone>, Failure>;

    /// Appends to the journal, in the open transaction if there is one.
    async fn append(&mut self, entry: &Entry) -> Result<(), Failure>;

    /// The journal, oldest first; empty if mig was never installed here.
    async fn entries(&mut self) -> Result<Vec<Entry>, Failure>;

    /// The journal as it is stored, oldest first, whether its lines can be read or not; empty if mig was never installed here.
    async fn lines(&mut self) -> Result<Vec<JournalLine>, Failure>;

    /// Records how texts were said, in the open transaction if there is one; replaces earlier records of the same text and object.
    async fn remember(&mut self, records: &[Remembered]) -> Result<(), Failure>;

    /// The records of how texts were said.
    async fn remembered(&mut self) -> Result<Vec<Remembered>, Failure>;

    /// Keeps a document (a plan's bytes, a signature) under its digest, so that rollback and gc need no file.
    async fn keep(&mut self, digest: &str, name: &str, bytes: &[u8]) -> Result<(), Failure>;

    /// A kept document.
    async fn kept(&mut self, digest: &str, name: &str) -> Result<Option<Vec<u8>>, Failure>;

    /// Keeps the rows that a step of a run rejects, in the open transaction if there is one, in place of those that were kept before.
    async fn reject(&mut self, run: &str, step: &StepId, rows: &[Rejected]) -> Result<(), Failure>;

    /// The rows that a run rejected, by step and key.
    async fn rejects(&mut self, run: &str) -> Result<Vec<Rejected>, Failure>;

    /// Sets what is asked of a run, or takes it back.
    async fn signal(&mut self, run: &str, signal: Option<&Signal>) -> Result<(), Failure>;

    /// What is asked of a run.
    async fn signalled(&mut self, run: &str) -> Result<Option<Signal>, Failure>;

    /// Looks the server and the database over for what stands in the way of runs, and for what earlier ones left. Reads only.
    async fn examine(&mut self) -> Result<Vec<Symptom>, Failure>;

    /// Ends the session in order.
    async fn close(&mut self) -> Result<(), Failure>;
}

/// Opens sessions with one database, so that a lost one can be replaced.
#[async_trait]
pub trait Connector: Send {
    /// A new session with the same database.
    async fn connect(&mut self) -> Result<Box<dyn Driver>, Failure>;

    /// A session to be had beside it; `None` where the engine has only one at a time.
    fn lookout(&self) -> Option<Box<dyn Lookout>> {
        None
    }
}

/// Takes the rows of an answer as they come.
pub trait Rows: Send {
    /// The names of the columns, once, before the first row; not called where there is no row.
    fn columns(&mut self, names: Vec<String>);

    /// A row.
    fn row(&mut self, values: Vec<Option<String>>);
}

/// A line of the journal as it is stored: what an audit looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// The number that it is stored under.
    pub seq: String,
    /// The entry's text.
    pub entry: String,
    /// What is stored beside it so that people and queries find it: the run, the event's name, the step. None where an engine stores
    /// nothing beside.
    pub beside: Option<[Option<String>; 3]>,
}

/// The outcome of asking for the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It is ours.
    Taken,
    /// Somebody else has it: who, in words.
    Held {
        /// For example a process id and since when.
        by: String,
    },
}

/// A session as a later one can find it again: opaque to all but its engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Session(pub serde_json::Value);

/// Where a backfill stands: opaque to all but its engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub serde_json::Value);

/// A batch that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchDone {
    /// Where the next one begins.
    pub cursor: Cursor,
    /// Rows that its last statement affected.
    pub rows: u64,
}
