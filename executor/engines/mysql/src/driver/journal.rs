//! mig's own tables: the journal, remembered texts, kept documents. They stand in the database that they are about.

use std::collections::BTreeMap;

use mig_executor::{Entry, Event, Failure, JournalLine, Rejected, Signal, Wish, recalled};
use mig_plan::{Fingerprint, OpenRun, Remembered, StepId};
use sqlx::Row as _;

use super::{failure::failure, link::Link};

/// Makes the tables.
const INSTALL: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS `_mig_journal` (`seq` BIGINT PRIMARY KEY, `at` VARCHAR(40) NOT NULL, `run` VARCHAR(100) NOT NULL, \
     `event` VARCHAR(40) NOT NULL, `step` TEXT, `entry` LONGTEXT NOT NULL) ENGINE=InnoDB \
     DEFAULT CHARACTER SET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='the journal of mig'",
    "CREATE TABLE IF NOT EXISTS `_mig_remembered` (`id` CHAR(64) PRIMARY KEY, `at` TEXT NOT NULL, `said` VARCHAR(80) NOT NULL, \
     `catalog` VARCHAR(80) NOT NULL) ENGINE=InnoDB DEFAULT CHARACTER SET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS `_mig_declared` (`id` CHAR(64) PRIMARY KEY, `at` TEXT NOT NULL, `keys` LONGTEXT NOT NULL) ENGINE=InnoDB \
     DEFAULT CHARACTER SET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS `_mig_document` (`digest` VARCHAR(100) NOT NULL, `name` VARCHAR(190) NOT NULL, \
     `bytes` LONGBLOB NOT NULL, PRIMARY KEY (`digest`, `name`)) ENGINE=InnoDB DEFAULT CHARACTER SET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS `_mig_signal` (`run` VARCHAR(100) PRIMARY KEY, `wish` VARCHAR(20) NOT NULL, `by` VARCHAR(400) NOT NULL, \
     `at` VARCHAR(40) NOT NULL) ENGINE=InnoDB DEFAULT CHARACTER SET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS `_mig_reject` (`id` CHAR(64) PRIMARY KEY, `run` VARCHAR(100) NOT NULL, `step` TEXT NOT NULL, \
     `key` LONGTEXT NOT NULL, `reason` TEXT NOT NULL, `row` LONGTEXT NOT NULL) ENGINE=InnoDB \
     DEFAULT CHARACTER SET=utf8mb4 COLLATE=utf8mb4_bin",
];

/// Makes mig's own tables if they are not there.
pub(super) async fn install(link: &mut Link) -> Result<(), Failure> {
    for sql in INSTALL {
        link.run(sql, "making the journal").await?;
    }
    Ok(())
}

/// Whether one of mig's tables is there.
async fn exists(link: &mut Link, table: &str) -> Result<bool, Failure> {
    let query = format!(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{table}'"
    );
    Ok(link.value(&query, "looking for the journal").await? != "0")
}

/// A query of one of mig's tables; nothing if it is not there.
async fn read(link: &mut Link, table: &str, query: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
    if !exists(link, table).await? {
        return Ok(Vec::new());
    }
    link.texts(query, usize::MAX, "reading the journal").await
}

/// Appends an entry: its exact text, and columns for people.
pub(super) async fn append(link: &mut Link, entry: &Entry) -> Result<(), Failure> {
    let text = serde_json::to_string(entry).map_err(|e| Failure::broken(e.to_string()))?;
    let event = serde_json::to_value(&entry.event).map_err(|e| Failure::broken(e.to_string()))?;
    let (name, fields) = event.as_object().and_then(|o| o.iter().next()).unzip();
    let step = fields.and_then(|f| f.get("step")).and_then(|s| s.as_str());
    sqlx::query("INSERT INTO `_mig_journal` (`seq`, `at`, `run`, `event`, `step`, `entry`) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(entry.seq)
        .bind(&entry.at)
        .bind(&entry.run)
        .bind(name)
        .bind(step)
        .bind(text)
        .execute(link.raw()?)
        .await
        .map(|_| ())
        .map_err(|e| failure(e, "writing the journal"))
}

/// The journal, oldest first.
pub(super) async fn entries(link: &mut Link) -> Result<Vec<Entry>, Failure> {
    parsed(read(link, "_mig_journal", "SELECT `entry` FROM `_mig_journal` ORDER BY `seq`").await?)
}

/// The journal as it is stored.
pub(super) async fn lines(link: &mut Link) -> Result<Vec<JournalLine>, Failure> {
    let query = "SELECT `seq`, `entry`, `run`, `event`, `step` FROM `_mig_journal` ORDER BY `seq`";
    let line = |row: Vec<Option<String>>| {
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        let (seq, entry) = (next().unwrap_or_default(), next().unwrap_or_default());
        JournalLine { seq, entry, beside: Some([next(), next(), next()]) }
    };
    Ok(read(link, "_mig_journal", query).await?.into_iter().map(line).collect())
}

fn parsed(rows: Vec<Vec<Option<String>>>) -> Result<Vec<Entry>, Failure> {
    rows.into_iter()
        .flatten()
        .flatten()
        .map(|text| {
            serde_json::from_str(&text)
                .map_err(|e| Failure::refused(format!("the journal holds what mig cannot read: {e}")))
        })
        .collect()
}

/// Sets what is asked of a run, or takes it back.
pub(super) async fn signal(link: &mut Link, run: &str, signal: Option<&Signal>) -> Result<(), Failure> {
    let query = match signal {
        Some(Signal { wish, by, at }) => {
            sqlx::query("REPLACE INTO `_mig_signal` (`run`, `wish`, `by`, `at`) VALUES (?, ?, ?, ?)")
                .bind(run)
                .bind(wish.word())
                .bind(by)
                .bind(at)
        }
        None => sqlx::query("DELETE FROM `_mig_signal` WHERE `run` = ?").bind(run),
    };
    query.execute(link.raw()?).await.map(|_| ()).map_err(|e| failure(e, "writing what is asked of a run"))
}

/// What is asked of a run.
pub(super) async fn signalled(link: &mut Link, run: &str) -> Result<Option<Signal>, Failure> {
    if !exists(link, "_mig_signal").await? {
        return Ok(None);
    }
    let asked = "reading what is asked of a run";
    let row = sqlx::query("SELECT `wish`, `by`, `at` FROM `_mig_signal` WHERE `run` = ?").bind(run);
    let row = row.fetch_optional(link.raw()?).await.map_err(|e| failure(e, asked))?;
    let Some(row) = row else { return Ok(None) };
    let text = |at: usize| row.try_get::<String, _>(at).map_err(|e| failure(e, asked));
    let wish = text(0)?;
    let wish = Wish::of_word(&wish)
        .ok_or_else(|| Failure::refused(format!("the journal holds a wish that mig cannot read: {wish}")))?;
    Ok(Some(Signal { wish, by: text(1)?, at: text(2)? }))
}

/// Runs that have begun and neither ended nor been rolled back. A run that had ended and is being rolled back is open again.
pub(super) async fn open_runs(link: &mut Link) -> Result<Vec<OpenRun>, Failure> {
    let mut open: BTreeMap<String, (u64, bool, Option<OpenRun>)> = BTreeMap::new();
    let query = "SELECT `entry` FROM `_mig_journal` \
        WHERE `event` IN ('run-begun', 'run-done', 'rollback-begun', 'rolled-back') ORDER BY `seq`";
    for entry in parsed(read(link, "_mig_journal", query).await?)? {
        let run = open.entry(entry.run.clone()).or_insert((entry.seq, false, None));
        match entry.event {
            Event::RunBegun { plan, reserved, .. } => {
                *run =
                    (entry.seq, true, Some(OpenRun { run: entry.run, plan, reserved: reserved.into_iter().collect() }));
            }
            Event::RollbackBegun {} => run.1 = true,
            Event::RunDone {} | Event::RolledBack {} => run.1 = false,
            _ => {}
        }
    }
    let mut open: Vec<_> = open.into_values().filter(|(_, is_open, _)| *is_open).collect();
    open.sort_by_key(|(seq, ..)| *seq);
    Ok(open.into_iter().filter_map(|(.., run)| run).collect())
}

/// Records how texts were said.
pub(super) async fn remember(link: &mut Link, records: &[Remembered]) -> Result<(), Failure> {
    for record in records {
        let at = record.at.to_string();
        let id = Fingerprint::of(&(&at, &record.said));
        sqlx::query("REPLACE INTO `_mig_remembered` (`id`, `at`, `said`, `catalog`) VALUES (?, ?, ?, ?)")
            .bind(id.short(64))
            .bind(&at)
            .bind(record.said.as_str())
            .bind(record.catalog.as_str())
            .execute(link.raw()?)
            .await
            .map_err(|e| failure(e, "writing the journal"))?;
        if let Some(keys) = &record.keys {
            let keys = serde_json::to_string(keys).map_err(|e| Failure::broken(e.to_string()))?;
            sqlx::query("REPLACE INTO `_mig_declared` (`id`, `at`, `keys`) VALUES (?, ?, ?)")
                .bind(id.short(64))
                .bind(at)
                .bind(keys)
                .execute(link.raw()?)
                .await
                .map_err(|e| failure(e, "writing the journal"))?;
        }
    }
    Ok(())
}

/// The records of how texts were said, sorted.
pub(super) async fn remembered(link: &mut Link) -> Result<Vec<Remembered>, Failure> {
    let rows = read(link, "_mig_remembered", "SELECT `at`, `said`, `catalog` FROM `_mig_remembered`").await?;
    let declared = read(link, "_mig_declared", "SELECT `at`, `keys` FROM `_mig_declared`").await?;
    recalled(rows, declared)
}

/// Keeps a document under its digest.
pub(super) async fn keep(link: &mut Link, digest: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    sqlx::query("REPLACE INTO `_mig_document` (`digest`, `name`, `bytes`) VALUES (?, ?, ?)")
        .bind(digest)
        .bind(name)
        .bind(bytes)
        .execute(link.raw()?)
        .await
        .map(|_| ())
        .map_err(|e| failure(e, "keeping a document"))
}

/// A kept document.
pub(super) async fn kept(link: &mut Link, digest: &str, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    if !exists(link, "_mig_document").await? {
        return Ok(None);
    }
    let row = sqlx::query("SELECT `bytes` FROM `_mig_document` WHERE `digest` = ? AND `name` = ?")
        .bind(digest)
        .bind(name)
        .fetch_optional(link.raw()?)
        .await
        .map_err(|e| failure(e, "reading a document"))?;
    row.map(|row| row.try_get::<Vec<u8>, _>(0)).transpose().map_err(|e| failure(e, "reading a document"))
}

/// Keeps the rows that a step rejects, in place of those kept before.
pub(super) async fn reject(link: &mut Link, run: &str, step: &StepId, rows: &[Rejected]) -> Result<(), Failure> {
    let asked = "keeping rejected rows";
    let gone = sqlx::query("DELETE FROM `_mig_reject` WHERE `run` = ? AND `step` = ?").bind(run).bind(step.to_string());
    gone.execute(link.raw()?).await.map_err(|e| failure(e, asked))?;
    for row in rows {
        let id = Fingerprint::of(&(run, step, &row.key));
        sqlx::query(
            "REPLACE INTO `_mig_reject` (`id`, `run`, `step`, `key`, `reason`, `row`) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(id.short(64))
        .bind(run)
        .bind(step.to_string())
        .bind(&row.key)
        .bind(&row.reason)
        .bind(&row.row)
        .execute(link.raw()?)
        .await
        .map_err(|e| failure(e, asked))?;
    }
    Ok(())
}

/// The rows that a run rejected.
pub(super) async fn rejects(link: &mut Link, run: &str) -> Result<Vec<Rejected>, Failure> {
    if !exists(link, "_mig_reject").await? {
        return Ok(Vec::new());
    }
    let asked = "reading rejected rows";
    let query = "SELECT `step`, `key`, `reason`, `row` FROM `_mig_reject` WHERE `run` = ? ORDER BY `step`, `key`";
    let rows = sqlx::query(query).bind(run).fetch_all(link.raw()?).await.map_err(|e| failure(e, asked))?;
    let read = |row: &sqlx::mysql::MySqlRow| {
        let text = |at: usize| row.try_get::<String, _>(at).map_err(|e| failure(e, asked));
        Ok(Rejected { run: run.to_owned(), step: StepId(text(0)?), key: text(1)?, reason: text(2)?, row: text(3)? })
    };
    rows.iter().map(read).collect()
}
