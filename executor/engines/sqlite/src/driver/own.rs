//! Mig's own tables: the journal, how texts were said, and kept documents.

use std::collections::BTreeMap;

use mig_executor::{Entry, Event, Failure, JournalLine, Rejected, Signal};
use mig_plan::{OpenRun, Remembered, RowKey, StepId};
use sqlx::{
    Row as _,
    sqlite::{SqliteConnection, SqliteRow},
};

use super::fail::failure;

/// What makes mig's own tables.
pub(super) const TABLES: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS _mig_journal (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS _mig_remembered (
  address TEXT NOT NULL, said TEXT NOT NULL, catalog TEXT NOT NULL, PRIMARY KEY (address, said)
) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS _mig_declared (address TEXT PRIMARY KEY, keys TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS _mig_document (
  digest TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (digest, name)
) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS _mig_signal (run TEXT PRIMARY KEY, signal TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS _mig_reject (
  run TEXT NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, row TEXT NOT NULL, PRIMARY KEY (run, step, key)
) WITHOUT ROWID",
];

async fn is_there(connection: &mut SqliteConnection, table: &'static str) -> Result<bool, Failure> {
    let query = sqlx::query("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1").bind(table);
    let row = query.fetch_optional(connection).await.map_err(|error| failure(&error))?;
    Ok(row.is_some())
}

fn encoded<T: serde::Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::broken(error.to_string()))
}

fn decoded<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::refused(format!(
            "a record of mig in the database cannot be read, perhaps a newer mig wrote it: {error}"
        ))
    })
}

pub(super) async fn append(connection: &mut SqliteConnection, entry: &Entry) -> Result<(), Failure> {
    let seq = i64::try_from(entry.seq).map_err(|_| Failure::broken("the journal is too long"))?;
    let query = sqlx::query("INSERT INTO _mig_journal (seq, entry) VALUES (?1, ?2)").bind(seq).bind(encoded(entry)?);
    query.execute(connection).await.map(|_| ()).map_err(|error| failure(&error))
}

pub(super) async fn entries(connection: &mut SqliteConnection) -> Result<Vec<Entry>, Failure> {
    if !is_there(connection, "_mig_journal").await? {
        return Ok(Vec::new());
    }
    let query = sqlx::query("SELECT entry FROM _mig_journal ORDER BY seq");
    let rows = query.fetch_all(connection).await.map_err(|error| failure(&error))?;
    rows.iter().map(|row| decoded(row.try_get(0).map_err(|error| failure(&error))?)).collect()
}

pub(super) async fn lines(connection: &mut SqliteConnection) -> Result<Vec<JournalLine>, Failure> {
    if !is_there(connection, "_mig_journal").await? {
        return Ok(Vec::new());
    }
    let rows = super::read::ask(connection, "SELECT seq, entry FROM _mig_journal ORDER BY seq", usize::MAX).await?;
    let line = |row: Vec<Option<String>>| {
        let mut row = row.into_iter().map(Option::unwrap_or_default);
        JournalLine { seq: row.next().unwrap_or_default(), entry: row.next().unwrap_or_default(), beside: None }
    };
    Ok(rows.into_iter().map(line).collect())
}

pub(super) async fn remember(connection: &mut SqliteConnection, records: &[Remembered]) -> Result<(), Failure> {
    for record in records {
        sqlx::query("INSERT OR REPLACE INTO _mig_remembered (address, said, catalog) VALUES (?1, ?2, ?3)")
            .bind(record.at.to_string())
            .bind(record.said.as_str())
            .bind(record.catalog.as_str())
            .execute(&mut *connection)
            .await
            .map_err(|error| failure(&error))?;
        if let Some(keys) = &record.keys {
            sqlx::query("INSERT OR REPLACE INTO _mig_declared (address, keys) VALUES (?1, ?2)")
                .bind(record.at.to_string())
                .bind(encoded(keys)?)
                .execute(&mut *connection)
                .await
                .map_err(|error| failure(&error))?;
        }
    }
    Ok(())
}

/// The keys of declared rows, by table.
async fn declared(connection: &mut SqliteConnection) -> Result<BTreeMap<String, Vec<RowKey>>, Failure> {
    if !is_there(connection, "_mig_declared").await? {
        return Ok(BTreeMap::new());
    }
    let query = sqlx::query("SELECT address, keys FROM _mig_declared");
    let rows = query.fetch_all(connection).await.map_err(|error| failure(&error))?;
    let text = |row: &SqliteRow, at: usize| row.try_get::<String, _>(at).map_err(|error| failure(&error));
    rows.iter().map(|row| Ok((text(row, 0)?, decoded(&text(row, 1)?)?))).collect()
}

pub(super) async fn remembered(connection: &mut SqliteConnection) -> Result<Vec<Remembered>, Failure> {
    if !is_there(connection, "_mig_remembered").await? {
        return Ok(Vec::new());
    }
    let query = sqlx::query(
        "SELECT json_object('at', address, 'said', said, 'catalog', catalog) FROM _mig_remembered ORDER BY address, said",
    );
    let rows = query.fetch_all(&mut *connection).await.map_err(|error| failure(&error))?;
    let texts = rows.iter().map(|row| row.try_get::<String, _>(0).map_err(|error| failure(&error)));
    let mut records = texts.map(|text| decoded(&text?)).collect::<Result<Vec<Remembered>, Failure>>()?;
    let declared = declared(connection).await?;
    records.iter_mut().for_each(|record| record.recall(&declared));
    records.sort();
    Ok(records)
}

pub(super) async fn keep(
    connection: &mut SqliteConnection,
    digest: &str,
    name: &str,
    bytes: &[u8],
) -> Result<(), Failure> {
    sqlx::query("INSERT OR REPLACE INTO _mig_document (digest, name, bytes) VALUES (?1, ?2, ?3)")
        .bind(digest)
        .bind(name)
        .bind(bytes)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| failure(&error))
}

pub(super) async fn kept(
    connection: &mut SqliteConnection,
    digest: &str,
    name: &str,
) -> Result<Option<Vec<u8>>, Failure> {
    if !is_there(connection, "_mig_document").await? {
        return Ok(None);
    }
    let query = sqlx::query("SELECT bytes FROM _mig_document WHERE digest = ?1 AND name = ?2").bind(digest).bind(name);
    let row = query.fetch_optional(connection).await.map_err(|error| failure(&error))?;
    row.map(|row| row.try_get(0).map_err(|error| failure(&error))).transpose()
}

pub(super) async fn signal(
    connection: &mut SqliteConnection,
    run: &str,
    signal: Option<&Signal>,
) -> Result<(), Failure> {
    let query = match signal {
        Some(signal) => sqlx::query("INSERT OR REPLACE INTO _mig_signal (run, signal) VALUES (?1, ?2)")
            .bind(run.to_owned())
            .bind(encoded(signal)?),
        None => sqlx::query("DELETE FROM _mig_signal WHERE run = ?1").bind(run.to_owned()),
    };
    query.execute(connection).await.map(|_| ()).map_err(|error| failure(&error))
}

pub(super) async fn signalled(connection: &mut SqliteConnection, run: &str) -> Result<Option<Signal>, Failure> {
    if !is_there(connection, "_mig_signal").await? {
        return Ok(None);
    }
    let query = sqlx::query("SELECT signal FROM _mig_signal WHERE run = ?1").bind(run.to_owned());
    let row = query.fetch_optional(connection).await.map_err(|error| failure(&error))?;
    row.map(|row| decoded(row.try_get(0).map_err(|error| failure(&error))?)).transpose()
}

/// Keeps the rows that a step rejects, in place of those kept before.
pub(super) async fn reject(
    connection: &mut SqliteConnection,
    run: &str,
    step: &StepId,
    rows: &[Rejected],
) -> Result<(), Failure> {
    let gone = sqlx::query("DELETE FROM _mig_reject WHERE run = ?1 AND step = ?2").bind(run).bind(step.to_string());
    gone.execute(&mut *connection).await.map_err(|error| failure(&error))?;
    for row in rows {
        sqlx::query("INSERT OR REPLACE INTO _mig_reject (run, step, key, reason, row) VALUES (?1, ?2, ?3, ?4, ?5)")
            .bind(run)
            .bind(step.to_string())
            .bind(&row.key)
            .bind(&row.reason)
            .bind(&row.row)
            .execute(&mut *connection)
            .await
            .map_err(|error| failure(&error))?;
    }
    Ok(())
}

/// The rows that a run rejected.
pub(super) async fn rejects(connection: &mut SqliteConnection, run: &str) -> Result<Vec<Rejected>, Failure> {
    if !is_there(connection, "_mig_reject").await? {
        return Ok(Vec::new());
    }
    let query = "SELECT step, key, reason, row FROM _mig_reject WHERE run = ?1 ORDER BY step, key";
    let rows = sqlx::query(query).bind(run).fetch_all(connection).await.map_err(|error| failure(&error))?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let text = |at: usize| row.try_get::<String, _>(at).map_err(|error| failure(&error));
        Ok(Rejected { run: run.to_owned(), step: StepId(text(0)?), key: text(1)?, reason: text(2)?, row: text(3)? })
    };
    rows.iter().map(read).collect()
}

/// The runs that have begun and neither ended nor been taken back.
pub(super) fn open_runs(entries: &[Entry]) -> Vec<OpenRun> {
    let mut open: Vec<OpenRun> = Vec::new();
    for entry in entries {
        match &entry.event {
            Event::RunBegun { plan, reserved, .. } => {
                let (run, reserved) = (entry.run.clone(), reserved.iter().cloned().collect());
                open.push(OpenRun { run, plan: plan.clone(), reserved });
            }
            Event::RunDone {} | Event::RolledBack {} => open.retain(|run| run.run != entry.run),
            _ => {}
        }
    }
    open
}
