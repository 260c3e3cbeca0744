//! What SQLite does with a connection: one file, one connection, everything that a run does goes through it.

mod examine;
mod fail;
mod lease;
mod own;
mod read;
mod url;
mod value;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use async_trait::async_trait;
use mig_executor::{
    BatchDone, Cursor, Driver, Entry, Failure, JournalLine, Lease, Rejected, Rows, Session, Signal, doctor::Symptom,
};
use mig_plan::{
    Address, Dialect, Limits, Object, Remembered, Snapshot, StepId,
    step::{Batches, Statement},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

use self::fail::failure;
use crate::dialect::Sqlite;

/// The version that snapshots and plans say: what SQL means has not changed within SQLite 3.
const VERSION: &str = "3";

/// How long a statement outside a step waits for the file.
const WAIT: Duration = Duration::from_secs(5);

/// A connection to a database file.
struct SqliteDriver {
    dialect: Sqlite,
    /// None once it is closed.
    connection: Option<SqliteConnection>,
    file: PathBuf,
    /// Whether the URL asked for reading only.
    read_only: bool,
    lease: Option<lease::LockFile>,
    /// Whether a transaction was begun and not ended.
    in_transaction: bool,
}

/// Opens a database file: `sqlite:///absolute/path`, `sqlite://relative/path`, with `?mode=ro` for reading only
/// and `?max_page_count=PAGES` for a file that may not grow beyond that.
///
/// # Errors
/// [`Failure::Unreachable`] if there is no such file, or it is no SQLite database: mig never makes one.
pub async fn connect(url: &str) -> Result<Box<dyn Driver>, Failure> {
    let place = url::parse(url)?;
    let file = place.existing()?;
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(false)
        .read_only(place.read_only)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        .disable_statement_logging();
    let opened = async {
        let mut connection = options.connect().await?;
        sqlx::raw_sql("SELECT count(*) FROM sqlite_schema").execute(&mut connection).await?;
        if let Some(pages) = place.max_pages {
            let limit = format!("PRAGMA max_page_count = {pages}");
            sqlx::raw_sql(AssertSqlSafe(limit)).execute(&mut connection).await?;
        }
        Ok(connection)
    };
    let connection = opened.await.map_err(|error| fail::opening(&file, &error))?;
    Ok(Box::new(SqliteDriver {
        dialect: Sqlite::new(VERSION),
        connection: Some(connection),
        file,
        read_only: place.read_only,
        lease: None,
        in_transaction: false,
    }))
}

impl SqliteDriver {
    fn connection(&mut self) -> Result<&mut SqliteConnection, Failure> {
        self.connection.as_mut().ok_or_else(|| Failure::broken("the connection is closed already"))
    }

    async fn run(&mut self, sql: &str) -> Result<u64, Failure> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let done = query.execute(self.connection()?).await.map_err(|error| failure(&error))?;
        Ok(done.rows_affected())
    }

    async fn wait_for_locks(&mut self, limits: &Limits) -> Result<(), Failure> {
        // Without a limit it waits for as long as SQLite can count.
        let milliseconds = if limits.lock_ms == 0 { i32::MAX.unsigned_abs() } else { limits.lock_ms };
        self.run(&format!("PRAGMA busy_timeout = {milliseconds}")).await.map(|_| ())
    }

    /// Reads inside one transaction, so that all of it is of one moment.
    async fn snapshot(&mut self) -> Result<Snapshot, Failure> {
        let assembled = read::schema(self.connection()?).await?;
        let remembered = own::remembered(self.connection()?).await?;
        let entries = own::entries(self.connection()?).await?;
        let mut snapshot = Snapshot::empty(crate::NAME, VERSION, None);
        snapshot.schema.0 = assembled.schema;
        snapshot.depends = assembled.depends;
        snapshot.remembered = remembered;
        snapshot.open_runs = own::open_runs(&entries);
        Ok(snapshot)
    }
}

#[async_trait]
impl Driver for SqliteDriver {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    async fn writable(&mut self) -> Result<Result<(), String>, Failure> {
        if self.read_only {
            return Ok(Err("it was opened for reading only, by `mode=ro` in its URL".to_owned()));
        }
        if self.in_transaction {
            return Ok(Ok(()));
        }
        match self.run("BEGIN IMMEDIATE").await {
            Ok(_) => self.rollback().await.map(Ok),
            // Somebody else is writing, so writing is possible.
            Err(Failure::Transient { .. }) => Ok(Ok(())),
            Err(Failure::Refused { says, .. }) => Ok(Err(says)),
            Err(other) => Err(other),
        }
    }

    async fn pull(&mut self) -> Result<Snapshot, Failure> {
        if self.in_transaction {
            return self.snapshot().await;
        }
        self.run("BEGIN").await?;
        let snapshot = self.snapshot().await;
        self.rollback().await?;
        snapshot
    }

    async fn observe(&mut self, of: &BTreeSet<Address>) -> Result<BTreeMap<Address, Object>, Failure> {
        let assembled = read::schema(self.connection()?).await?;
        Ok(assembled.schema.only(of))
    }

    async fn lease(&mut self, wait: Duration) -> Result<Lease, Failure> {
        if self.lease.is_some() {
            return Ok(Lease::Taken);
        }
        match lease::take(&self.file, wait).await? {
            Ok(lock) => {
                self.lease = Some(lock);
                Ok(Lease::Taken)
            }
            Err(by) => Ok(Lease::Held { by }),
        }
    }

    async fn release(&mut self) -> Result<(), Failure> {
        if let Some(lock) = self.lease.take() {
            lock.release();
        }
        Ok(())
    }

    async fn install(&mut self) -> Result<(), Failure> {
        for statement in own::TABLES {
            self.run(statement).await?;
        }
        Ok(())
    }

    async fn session(&mut self) -> Result<Session, Failure> {
        Ok(Session(serde_json::json!({ "pid": std::process::id() })))
    }

    /// A session whose lease is ours is gone: the lease ends with its process, and so does all that it had not committed.
    async fn settled(&mut self, _: &Session, _: Duration) -> Result<bool, Failure> {
        Ok(self.lease.is_some())
    }

    async fn begin(&mut self, limits: &Limits) -> Result<(), Failure> {
        self.wait_for_locks(limits).await?;
        self.run("BEGIN IMMEDIATE").await?;
        self.in_transaction = true;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        match self.run("COMMIT").await {
            Ok(_) => {
                self.in_transaction = false;
                Ok(())
            }
            // A reader was in the way: SQLite keeps the transaction open, and nothing of it stands yet.
            Err(failure) => {
                self.rollback().await?;
                Err(failure)
            }
        }
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        self.in_transaction = false;
        match self.run("ROLLBACK").await {
            Err(Failure::Refused { says, .. }) if says.contains("no transaction is active") => Ok(()),
            done => done.map(|_| ()),
        }
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, Failure> {
        self.run(&statement.sql()).await
    }

    async fn execute_alone(&mut self, statement: &Statement, limits: &Limits) -> Result<u64, Failure> {
        self.wait_for_locks(limits).await?;
        self.run(&statement.sql()).await
    }

    async fn ask(&mut self, statement: &Statement, most: usize) -> Result<Vec<Vec<Option<String>>>, Failure> {
        read::ask_only(self.connection()?, &statement.sql(), most).await
    }

    async fn stream(&mut self, statement: &Statement, to: &mut dyn Rows) -> Result<(), Failure> {
        read::stream(self.connection()?, &statement.sql(), to).await
    }

    async fn batch(
        &mut self,
        batches: &Batches,
        cursor: Option<&Cursor>,
        end: Option<&[Option<String>]>,
        rows: u32,
    ) -> Result<Option<BatchDone>, Failure> {
        value::batch(self.connection()?, batches, cursor, end, rows).await
    }

    async fn append(&mut self, entry: &Entry) -> Result<(), Failure> {
        own::append(self.connection()?, entry).await
    }

    async fn entries(&mut self) -> Result<Vec<Entry>, Failure> {
        own::entries(self.connection()?).await
    }

    async fn lines(&mut self) -> Result<Vec<JournalLine>, Failure> {
        own::lines(self.connection()?).await
    }

    async fn remember(&mut self, records: &[Remembered]) -> Result<(), Failure> {
        own::remember(self.connection()?, records).await
    }

    async fn remembered(&mut self) -> Result<Vec<Remembered>, Failure> {
        own::remembered(self.connection()?).await
    }

    async fn keep(&mut self, digest: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        own::keep(self.connection()?, digest, name, bytes).await
    }

    async fn kept(&mut self, digest: &str, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        own::kept(self.connection()?, digest, name).await
    }

    async fn reject(&mut self, run: &str, step: &StepId, rows: &[Rejected]) -> Result<(), Failure> {
        own::reject(self.connection()?, run, step, rows).await
    }

    async fn rejects(&mut self, run: &str) -> Result<Vec<Rejected>, Failure> {
        own::rejects(self.connection()?, run).await
    }

    async fn signal(&mut self, run: &str, signal: Option<&Signal>) -> Result<(), Failure> {
        own::signal(self.connection()?, run, signal).await
    }

    async fn signalled(&mut self, run: &str) -> Result<Option<Signal>, Failure> {
        own::signalled(self.connection()?, run).await
    }

    async fn examine(&mut self) -> Result<Vec<Symptom>, Failure> {
        examine::examine(self.connection()?).await
    }

    async fn close(&mut self) -> Result<(), Failure> {
        self.release().await?;
        match self.connection.take() {
            Some(connection) => connection.close().await.map_err(|error| failure(&error)),
            None => Ok(()),
        }
    }
}
