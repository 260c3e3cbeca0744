//! mig's own tables: the journal, remembered texts, kept documents.

use std::collections::BTreeMap;

use mig_executor::{Entry, Event, Failure, JournalLine, Rejected, Signal, Wish, recalled};
use mig_plan::{OpenRun, Remembered, StepId};
use sqlx::Row as _;

use super::{failure::failure, link::Link};

/// Makes the tables. Only the role that makes them may see them; it may grant more.
const INSTALL: &str = "create schema if not exists mig; create schema if not exists mig_trash; \
    revoke all on schema mig, mig_trash from public; \
    comment on schema mig is 'the journal of mig'; comment on schema mig_trash is 'what mig keeps for rollbacks'; \
    create table if not exists mig.journal (seq bigint primary key, at timestamptz not null, run text not null, \
      event text not null, step text, entry text not null); \
    create table if not exists mig.remembered (at text not null, said text not null, catalog text not null, primary key (at, said)); \
    create table if not exists mig.declared (at text primary key, keys text not null); \
    create table if not exists mig.document (digest text not null, name text not null, bytes bytea not null, primary key (digest, name)); \
    create table if not exists mig.signal (run text primary key, wish text not null, by text not null, at text not null); \
    create table if not exists mig.reject (run text not null, step text not null, key text not null, reason text not null, \
      row text not null, primary key (run, step, key))";

/// Makes mig's own tables if they are not there.
pub(super) async fn install(link: &mut Link) -> Result<(), Failure> {
    let complete = "select (count(*) = 6 and to_regnamespace('mig_trash') is not null)::text from pg_class c \
        join pg_namespace n on n.oid = c.relnamespace \
        where n.nspname = 'mig' and c.relname in ('journal', 'remembered', 'declared', 'document', 'signal', 'reject')";
    if link.value(complete, "looking for the journal").await? == "true" {
        return Ok(());
    }
    link.run(INSTALL, "making the journal").await.map(|_| ())
}

/// Whether one of mig's tables is there. Needs no privilege on it.
async fn exists(link: &mut Link, table: &str) -> Result<bool, Failure> {
    let query = format!(
        "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where n.nspname = 'mig' and c.relname = '{table}')::text"
    );
    Ok(link.value(&query, "looking for the journal").await? == "true")
}

/// A query of one of mig's tables; nothing if it is not there.
async fn read(link: &mut Link, table: &str, query: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
    if !exists(link, table).await? {
        return Ok(Vec::new());
    }
    link.texts(query, usize::MAX, "reading the journal").await.map_err(|error| match error {
        Failure::Refused { says, code } if code.as_deref() == Some("42501") => Failure::Refused {
            says: format!("{says}\nhint: grant this role USAGE on schema mig and SELECT on its tables"),
            code,
        },
        error => error,
    })
}

/// Appends an entry: its exact text, and columns for people.
pub(super) async fn append(link: &mut Link, entry: &Entry) -> Result<(), Failure> {
    let text = serde_json::to_string(entry).map_err(|e| Failure::broken(e.to_string()))?;
    let seq = i64::try_from(entry.seq).map_err(|e| Failure::broken(e.to_string()))?;
    let event = serde_json::to_value(&entry.event).map_err(|e| Failure::broken(e.to_string()))?;
    let (name, fields) = event.as_object().and_then(|o| o.iter().next()).unzip();
    let step = fields.and_then(|f| f.get("step")).and_then(|s| s.as_str());
    sqlx::query(
        "insert into mig.journal (seq, at, run, event, step, entry) values ($1, $2::text::timestamptz, $3, $4, $5, $6)",
    )
    .bind(seq)
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
    parsed(read(link, "journal", "select entry from mig.journal order by seq").await?)
}

/// The journal as it is stored.
pub(super) async fn lines(link: &mut Link) -> Result<Vec<JournalLine>, Failure> {
    let rows = read(link, "journal", "select seq, entry, run, event, step from mig.journal order by seq").await?;
    let line = |row: Vec<Option<String>>| {
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        let (seq, entry) = (next().unwrap_or_default(), next().unwrap_or_default());
        JournalLine { seq, entry, beside: Some([next(), next(), next()]) }
    };
    Ok(rows.into_iter().map(line).collect())
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
        Some(Signal { wish, by, at }) => sqlx::query(
            "insert into mig.signal (run, wish, by, at) values ($1, $2, $3, $4) \
             on conflict (run) do update set wish = excluded.wish, by = excluded.by, at = excluded.at",
        )
        .bind(run)
        .bind(wish.word())
        .bind(by)
        .bind(at),
        None => sqlx::query("delete from mig.signal where run = $1").bind(run),
    };
    query.execute(link.raw()?).await.map(|_| ()).map_err(|e| failure(e, "writing what is asked of a run"))
}

/// What is asked of a run.
pub(super) async fn signalled(link: &mut Link, run: &str) -> Result<Option<Signal>, Failure> {
    if !exists(link, "signal").await? {
        return Ok(None);
    }
    let asked = "reading what is asked of a run";
    let row = sqlx::query("select wish, by, at from mig.signal where run = $1").bind(run);
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
    let query = "select j.entry from mig.journal j where j.event = 'run-begun' and (select l.event from mig.journal l \
        where l.run = j.run and l.event in ('run-begun', 'run-done', 'rollback-begun', 'rolled-back') \
        order by l.seq desc limit 1) in ('run-begun', 'rollback-begun') order by j.seq";
    let begun = parsed(read(link, "journal", query).await?)?;
    Ok(begun
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::RunBegun { plan, reserved, .. } => {
                Some(OpenRun { run: entry.run, plan, reserved: reserved.into_iter().collect() })
            }
            _ => None,
        })
        .collect())
}

/// Records how texts were said.
pub(super) async fn remember(link: &mut Link, records: &[Remembered]) -> Result<(), Failure> {
    // One statement cannot replace the same row twice: the last record counts.
    let last: BTreeMap<_, _> = records.iter().map(|r| ((r.at.to_string(), r.said.as_str()), r)).collect();
    let (mut at, mut said, mut catalog) = (Vec::new(), Vec::new(), Vec::new());
    let (mut declared, mut keys) = (Vec::new(), Vec::new());
    for ((a, s), record) in last {
        if let Some(of) = &record.keys {
            declared.push(a.clone());
            keys.push(serde_json::to_string(of).map_err(|e| Failure::broken(e.to_string()))?);
        }
        at.push(a);
        said.push(s.to_owned());
        catalog.push(record.catalog.as_str().to_owned());
    }
    if !declared.is_empty() {
        sqlx::query(
            "insert into mig.declared (at, keys) select * from unnest($1::text[], $2::text[]) \
             on conflict (at) do update set keys = excluded.keys",
        )
        .bind(declared)
        .bind(keys)
        .execute(link.raw()?)
        .await
        .map_err(|e| failure(e, "writing the journal"))?;
    }
    sqlx::query(
        "insert into mig.remembered (at, said, catalog) select * from unnest($1::text[], $2::text[], $3::text[]) \
         on conflict (at, said) do update set catalog = excluded.catalog",
    )
    .bind(at)
    .bind(said)
    .bind(catalog)
    .execute(link.raw()?)
    .await
    .map(|_| ())
    .map_err(|e| failure(e, "writing the journal"))
}

/// The records of how texts were said, sorted.
pub(super) async fn remembered(link: &mut Link) -> Result<Vec<Remembered>, Failure> {
    let rows = read(link, "remembered", "select at, said, catalog from mig.remembered").await?;
    let declared = read(link, "declared", "select at, keys from mig.declared").await?;
    recalled(rows, declared)
}

/// Keeps a document under its digest.
pub(super) async fn keep(link: &mut Link, digest: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    sqlx::query(
        "insert into mig.document (digest, name, bytes) values ($1, $2, $3) \
         on conflict (digest, name) do update set bytes = excluded.bytes",
    )
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
    if !exists(link, "document").await? {
        return Ok(None);
    }
    let row = sqlx::query("select bytes from mig.document where digest = $1 and name = $2")
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
    let gone = sqlx::query("delete from mig.reject where run = $1 and step = $2").bind(run).bind(step.to_string());
    gone.execute(link.raw()?).await.map_err(|e| failure(e, asked))?;
    let of = |field: fn(&Rejected) -> &String| rows.iter().map(|row| field(row).clone()).collect::<Vec<_>>();
    sqlx::query(
        "insert into mig.reject (run, step, key, reason, row) \
         select $1, $2, u.key, u.reason, u.row from unnest($3::text[], $4::text[], $5::text[]) as u (key, reason, row) \
         on conflict do nothing",
    )
    .bind(run)
    .bind(step.to_string())
    .bind(of(|row| &row.key))
    .bind(of(|row| &row.reason))
    .bind(of(|row| &row.row))
    .execute(link.raw()?)
    .await
    .map(|_| ())
    .map_err(|e| failure(e, asked))
}

/// The rows that a run rejected.
pub(super) async fn rejects(link: &mut Link, run: &str) -> Result<Vec<Rejected>, Failure> {
    if !exists(link, "reject").await? {
        return Ok(Vec::new());
    }
    let asked = "reading rejected rows";
    let query = "select step, key, reason, row from mig.reject where run = $1 order by step, key";
    let rows = sqlx::query(query).bind(run).fetch_all(link.raw()?).await.map_err(|e| failure(e, asked))?;
    let read = |row: &sqlx::postgres::PgRow| {
        let text = |at: usize| row.try_get::<String, _>(at).map_err(|e| failure(e, asked));
        Ok(Rejected { run: run.to_owned(), step: StepId(text(0)?), key: text(1)?, reason: text(2)?, row: text(3)? })
    };
    rows.iter().map(read).collect()
}
