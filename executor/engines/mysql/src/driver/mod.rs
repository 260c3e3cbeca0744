//! What MySQL and MariaDB do with a connection.

mod assemble;
mod batch;
mod connect;
mod examine;
mod failure;
mod journal;
mod lease;
mod link;
mod lookout;
mod pull;
mod queries;
mod rows;
mod sample;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use mig_executor::{
    BatchDone, Cursor, Driver, Entry, Failure, JournalLine, Lease, Rejected, Rows, Session, Signal, doctor::Symptom,
};
use mig_plan::{
    Address, Dialect, Limits, Live, Object, Remembered, SNAPSHOT_FORMAT, Snapshot, StepId,
    step::{Batches, Statement},
};

pub use self::lookout::MySqlLookout;
use self::{connect::Opened, link::Link};
use crate::{dialect::MySqlDialect, flavor::Flavor};

/// A session with a server.
pub struct MySqlDriver {
    link: Link,
    flavor: Flavor,
    database: String,
    dialect: MySqlDialect,
    transaction: Transaction,
}

/// Whether a transaction is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
}

impl MySqlDriver {
    /// Connects to a database.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] if there is no such server or database, or it is too old.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let Opened { link, flavor, database } = connect::open(url).await?;
        let dialect = MySqlDialect::new(&flavor.text());
        Ok(Self { link, flavor, database, dialect, transaction: Transaction::None })
    }

    async fn limit(&mut self, limits: &Limits, asked: &str) -> Result<(), Failure> {
        // The server counts in whole seconds, and takes no limit for a very long one.
        let seconds = if limits.lock_ms == 0 { 31_536_000 } else { limits.lock_ms.div_ceil(1_000).max(1) };
        let rows = seconds.min(1_000_000);
        let statement = if self.flavor.is_maria() {
            format!(", max_statement_time = {}", f64::from(limits.statement_ms) / 1_000.0)
        } else {
            format!(", max_execution_time = {}", limits.statement_ms)
        };
        let sql = format!("SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {rows}{statement}");
        self.link.run(&sql, asked).await.map(|_| ())
    }
}

#[async_trait]
impl Driver for MySqlDriver {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    async fn writable(&mut self) -> Result<Result<(), String>, Failure> {
        let read_only =
            self.link.value("SELECT @@GLOBAL.read_only", "asking whether the server can be written").await?;
        let says = "the server is read-only: it may be a replica".to_owned();
        Ok(if read_only == "0" { Ok(()) } else { Err(says) })
    }

    async fn pull(&mut self) -> Result<Snapshot, Failure> {
        let (schema, depends) = pull::pull(&mut self.link, &self.flavor, &self.database).await?;
        Ok(Snapshot {
            format: SNAPSHOT_FORMAT.to_owned(),
            engine: crate::NAME.to_owned(),
            version: self.flavor.text(),
            default_schema: None,
            schema: Live(schema),
            depends,
            remembered: journal::remembered(&mut self.link).await?,
            open_runs: journal::open_runs(&mut self.link).await?,
        })
    }

    async fn observe(&mut self, of: &BTreeSet<Address>) -> Result<BTreeMap<Address, Object>, Failure> {
        pull::observe(&mut self.link, &self.flavor, &self.database, of).await
    }

    async fn lease(&mut self, wait: Duration) -> Result<Lease, Failure> {
        lease::take(&mut self.link, wait).await
    }

    async fn release(&mut self) -> Result<(), Failure> {
        lease::release(&mut self.link).await
    }

    async fn install(&mut self) -> Result<(), Failure> {
        journal::install(&mut self.link).await
    }

    async fn session(&mut self) -> Result<Session, Failure> {
        lease::session(&mut self.link).await
    }

    async fn settled(&mut self, session: &Session, wait: Duration) -> Result<bool, Failure> {
        lease::settled(&mut self.link, session, wait).await
    }

    fn undoes_ddl(&self) -> bool {
        false
    }

    async fn begin(&mut self, limits: &Limits) -> Result<(), Failure> {
        if self.transaction == Transaction::Open {
            return Err(Failure::broken("a transaction is open already"));
        }
        self.limit(limits, "opening a transaction").await?;
        self.link.run("START TRANSACTION", "opening a transaction").await?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        if self.transaction == Transaction::None {
            return Err(Failure::broken("no transaction is open"));
        }
        self.link.run("COMMIT", "committing").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        self.transaction = Transaction::None;
        self.link.run("ROLLBACK", "rolling back").await.map(|_| ())
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, Failure> {
        self.link.run(&statement.sql(), "running a statement").await
    }

    async fn execute_alone(&mut self, statement: &Statement, limits: &Limits) -> Result<u64, Failure> {
        if self.transaction == Transaction::Open {
            return Err(Failure::broken("a transaction is open"));
        }
        self.limit(limits, "running a statement").await?;
        let done = self.link.run(&statement.sql(), "running a statement").await;
        if !matches!(done, Err(Failure::Lost { .. })) {
            let usual = Limits { lock_ms: 5_000, statement_ms: 0, attempts: 1 };
            self.limit(&usual, "running a statement").await?;
        }
        done
    }

    async fn ask(&mut self, statement: &Statement, most: usize) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let asked = "asking a query";
        if self.transaction == Transaction::Open {
            return self.link.texts(&statement.sql(), most, asked).await;
        }
        self.link.run("START TRANSACTION READ ONLY", asked).await?;
        let found = self.link.texts(&statement.sql(), most, asked).await;
        if !matches!(found, Err(Failure::Lost { .. })) {
            self.link.run("ROLLBACK", asked).await?;
        }
        found
    }

    async fn stream(&mut self, statement: &Statement, to: &mut dyn Rows) -> Result<(), Failure> {
        let asked = "reading rows";
        if self.transaction == Transaction::Open {
            return self.link.stream(&statement.sql(), to, asked).await;
        }
        self.link.run("START TRANSACTION READ ONLY", asked).await?;
        let done = self.link.stream(&statement.sql(), to, asked).await;
        if !matches!(done, Err(Failure::Lost { .. })) {
            self.link.run("ROLLBACK", asked).await?;
        }
        done
    }

    async fn batch(
        &mut self,
        batches: &Batches,
        cursor: Option<&Cursor>,
        end: Option<&[Option<String>]>,
        rows: u32,
    ) -> Result<Option<BatchDone>, Failure> {
        batch::batch(&mut self.link, batches, cursor, end, rows).await
    }

    async fn append(&mut self, entry: &Entry) -> Result<(), Failure> {
        journal::append(&mut self.link, entry).await
    }

    async fn entries(&mut self) -> Result<Vec<Entry>, Failure> {
        journal::entries(&mut self.link).await
    }

    async fn lines(&mut self) -> Result<Vec<JournalLine>, Failure> {
        journal::lines(&mut self.link).await
    }

    async fn remember(&mut self, records: &[Remembered]) -> Result<(), Failure> {
        journal::remember(&mut self.link, records).await
    }

    async fn remembered(&mut self) -> Result<Vec<Remembered>, Failure> {
        journal::remembered(&mut self.link).await
    }

    async fn keep(&mut self, digest: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        journal::keep(&mut self.link, digest, name, bytes).await
    }

    async fn kept(&mut self, digest: &str, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        journal::kept(&mut self.link, digest, name).await
    }

    async fn reject(&mut self, run: &str, step: &StepId, rows: &[Rejected]) -> Result<(), Failure> {
        journal::reject(&mut self.link, run, step, rows).await
    }

    async fn rejects(&mut self, run: &str) -> Result<Vec<Rejected>, Failure> {
        journal::rejects(&mut self.link, run).await
    }

    async fn signal(&mut self, run: &str, signal: Option<&Signal>) -> Result<(), Failure> {
        journal::signal(&mut self.link, run, signal).await
    }

    async fn signalled(&mut self, run: &str) -> Result<Option<Signal>, Failure> {
        journal::signalled(&mut self.link, run).await
    }

    async fn examine(&mut self) -> Result<Vec<Symptom>, Failure> {
        examine::examine(&mut self.link).await
    }

    async fn close(&mut self) -> Result<(), Failure> {
        self.link.close().await
    }
}
