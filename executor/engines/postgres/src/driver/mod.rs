//! What PostgreSQL does with a connection.

mod assemble;
mod batch;
mod connect;
mod examine;
mod failure;
mod journal;
mod lease;
mod link;
mod lookout;
mod patience;
mod pull;
mod queries;
mod rows;
mod sample;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use mig_executor::{
    BatchDone, Cursor, Driver, Entry, Failure, JournalLine, Lease, Rejected, Rows, Session, Signal, doctor::Symptom,
};
use mig_plan::{
    Address, Dialect, Limits, Live, Name, Object, Remembered, SNAPSHOT_FORMAT, Snapshot, StepId,
    step::{Batches, Statement},
};

pub use self::lookout::PostgresLookout;
use self::{connect::Opened, link::Link, patience::Patience};

/// Makes the pure half for a server: from its major version and its default schema.
pub type MakeDialect = fn(&str, Option<Name>) -> Box<dyn Dialect>;

/// A session with a PostgreSQL server.
pub struct PostgresDriver {
    link: Link,
    dialect: Box<dyn Dialect>,
    version: u32,
    default_schema: Name,
    /// The search path that triggers and functions of the database expect, as SQL.
    path: String,
    patience: Patience,
    transaction: Transaction,
}

/// Whether a transaction is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
}

/// Connects to a server of PostgreSQL 13 or newer.
///
/// # Errors
/// [`Failure::Unreachable`] if there is no such server, or it is too old, or sessions do not last.
pub async fn connect(url: &str, make: MakeDialect) -> Result<PostgresDriver, Failure> {
    let Opened { link, version, default_schema, path, patience } = connect::open(url).await?;
    let dialect = make(&version.to_string(), Some(default_schema.clone()));
    Ok(PostgresDriver { link, dialect, version, default_schema, path, patience, transaction: Transaction::None })
}

impl PostgresDriver {
    /// Sets the search path of the open transaction: the catalog is read with an empty one, whatever statements need.
    async fn catalog_path(&mut self, path: &str) -> Result<(), Failure> {
        match self.transaction {
            Transaction::Open => {
                self.link.run(&format!("set local search_path = {path}"), "reading the schema").await.map(|_| ())
            }
            Transaction::None => Ok(()),
        }
    }
}

/// The settings that limit each statement.
fn limits_sql(limits: &Limits, local: &str) -> String {
    let Limits { lock_ms, statement_ms, .. } = limits;
    format!("set {local}lock_timeout = {lock_ms}; set {local}statement_timeout = {statement_ms}")
}

#[async_trait]
impl Driver for PostgresDriver {
    fn dialect(&self) -> &dyn Dialect {
        self.dialect.as_ref()
    }

    async fn writable(&mut self) -> Result<Result<(), String>, Failure> {
        let query = "select case when pg_is_in_recovery() then 'the server is a standby: it can only be read' \
            when current_setting('default_transaction_read_only') = 'on' then 'transactions are read-only here by default' \
            when not has_database_privilege(current_database(), 'CREATE') and to_regnamespace('mig') is null then \
              format('role %I may not create schemas in database %I', current_user, current_database()) else '' end";
        let says = self.link.value(query, "asking whether the database can be written").await?;
        Ok(if says.is_empty() { Ok(()) } else { Err(says) })
    }

    async fn pull(&mut self) -> Result<Snapshot, Failure> {
        if self.transaction == Transaction::Open {
            return Err(Failure::broken("a pull needs a transaction of its own"));
        }
        let (schema, depends) = pull::pull(&mut self.link, self.version).await?;
        Ok(Snapshot {
            format: SNAPSHOT_FORMAT.to_owned(),
            engine: crate::NAME.to_owned(),
            version: self.version.to_string(),
            default_schema: Some(self.default_schema.clone()),
            schema: Live(schema),
            depends,
            remembered: journal::remembered(&mut self.link).await?,
            open_runs: journal::open_runs(&mut self.link).await?,
        })
    }

    async fn observe(&mut self, of: &BTreeSet<Address>) -> Result<BTreeMap<Address, Object>, Failure> {
        self.catalog_path("''").await?;
        let found = pull::observe(&mut self.link, self.version, of).await?;
        let path = self.path.clone();
        self.catalog_path(&path).await?;
        Ok(found)
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

    async fn begin(&mut self, limits: &Limits) -> Result<(), Failure> {
        if self.transaction == Transaction::Open {
            return Err(Failure::broken("a transaction is open already"));
        }
        // Statements are qualified; but triggers and functions that they call expect the path that is configured.
        let limits = Limits { lock_ms: self.patience.begin(limits.lock_ms), ..*limits };
        let sql = format!("begin; set local search_path = {}; {}", self.path, limits_sql(&limits, "local "));
        self.link.run(&sql, "opening a transaction").await?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        if self.transaction == Transaction::None {
            return Err(Failure::broken("no transaction is open"));
        }
        // COMMIT in a failed transaction rolls back and says nothing; a query before it does not go through.
        let done = self.link.run("select; commit", "committing").await;
        match done {
            Ok(_) => {
                self.transaction = Transaction::None;
                Ok(())
            }
            Err(error) => {
                if !matches!(error, Failure::Lost { .. }) {
                    self.rollback().await?;
                }
                Err(error)
            }
        }
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        self.transaction = Transaction::None;
        self.link.run("rollback", "rolling back").await.map(|_| ())
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, Failure> {
        let asked = "running a statement";
        if self.transaction == Transaction::None {
            return self.link.run(&statement.sql(), asked).await;
        }
        if let Some(lock_ms) = self.patience.next() {
            self.link.run(&format!("set local lock_timeout = {lock_ms}"), asked).await?;
        }
        let done = self.link.run(&statement.sql(), asked).await;
        self.patience.done();
        done
    }

    async fn make_way(&mut self, of: &BTreeSet<Address>) -> Result<(), Failure> {
        patience::make_way(&mut self.link, &self.patience, self.dialect.as_ref(), of).await
    }

    async fn execute_alone(&mut self, statement: &Statement, limits: &Limits) -> Result<u64, Failure> {
        if self.transaction == Transaction::Open {
            return Err(Failure::broken("a transaction is open"));
        }
        let asked = "running a statement";
        let before = format!("{}; set search_path = {}", limits_sql(&self.patience.alone(limits), ""), self.path);
        self.link.run(&before, asked).await?;
        // Alone in its message: several statements in one would share a transaction.
        let done = self.link.run(&statement.sql(), asked).await;
        if !matches!(done, Err(Failure::Lost { .. })) {
            self.link.run(connect::REST, asked).await?;
        }
        done
    }

    async fn ask(&mut self, statement: &Statement, most: usize) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let asked = "asking a query";
        let sql = statement.sql();
        let limited = format!("select * from ({sql}\n) q limit {most}");
        let word = sql.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let sql = if matches!(word.as_str(), "select" | "with" | "values") { limited } else { sql };
        if self.transaction == Transaction::Open {
            return self.link.texts(&sql, most, asked).await;
        }
        // Expressions of specs name their tables as everywhere else in them: by the path that is configured.
        let begin = format!("begin read only; set local search_path = {}", self.path);
        let found = self.link.texts(&format!("{begin}; {sql}\n; commit"), most, asked).await;
        if matches!(found, Err(Failure::Refused { .. } | Failure::Transient { .. })) {
            self.rollback().await?;
        }
        found
    }

    async fn stream(&mut self, statement: &Statement, to: &mut dyn Rows) -> Result<(), Failure> {
        let asked = "reading rows";
        let sql = statement.sql();
        if self.transaction == Transaction::Open {
            return self.link.stream(&sql, to, asked).await;
        }
        let begin = format!("begin isolation level repeatable read read only; set local search_path = {}", self.path);
        let done = self.link.stream(&format!("{begin}; {sql}\n; commit"), to, asked).await;
        if matches!(done, Err(Failure::Refused { .. } | Failure::Transient { .. })) {
            self.rollback().await?;
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
