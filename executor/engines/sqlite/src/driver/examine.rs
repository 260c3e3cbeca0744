//! What mig doctor asks of a SQLite file.

use mig_executor::{
    Failure,
    doctor::{Symptom, Weight},
};
use sqlx::sqlite::SqliteConnection;

use super::read;

/// Asks everything.
pub(super) async fn examine(connection: &mut SqliteConnection) -> Result<Vec<Symptom>, Failure> {
    let mut found = Vec::new();
    let version = first(connection, "SELECT sqlite_version()").await?;
    found.push(Symptom::new("file", Weight::Fine, format!("SQLite {version}"), None));
    let whole = first(connection, "PRAGMA quick_check(1)").await?;
    if whole != "ok" {
        found.push(Symptom::new("file", Weight::Wrong, whole, Some("restore it from a backup before any run")));
    }
    for row in read::ask(connection, "PRAGMA foreign_key_check", 5).await? {
        let mut row = row.into_iter().map(Option::unwrap_or_default);
        let (table, rowid, parent) = (row.next(), row.next(), row.next());
        let [table, rowid, parent] = [table, rowid, parent].map(Option::unwrap_or_default);
        let says = format!("row {rowid} of {table} refers to a row of {parent} that is not there");
        found.push(Symptom::new(
            "rows",
            Weight::Wrong,
            says,
            Some("a rebuild of the table would refuse it: correct it first"),
        ));
    }
    let mode = first(connection, "PRAGMA journal_mode").await?;
    if mode != "wal" {
        let says = format!("the journal mode is {mode}: a table that is rebuilt locks readers out");
        found.push(Symptom::new("settings", Weight::Advice, says, Some("PRAGMA journal_mode = wal")));
    }
    let kept = first(
        connection,
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE '\\_mig\\_kept%' ESCAPE '\\'",
    );
    let kept = kept.await?;
    if kept != "0" {
        let next = Some("mig gc drops it for good when it is old enough");
        found.push(Symptom::new("kept data", Weight::Fine, format!("{kept} tables keep what rollbacks need"), next));
    }
    let says = "SQLite tells nothing of other connections: a run is not watched";
    found.push(Symptom::new("monitor", Weight::Fine, says, None));
    Ok(found)
}

async fn first(connection: &mut SqliteConnection, query: &str) -> Result<String, Failure> {
    let rows = read::ask(connection, query, 1).await?;
    Ok(rows.into_iter().flatten().next().flatten().unwrap_or_default())
}
