//! Batches: keys as cursors, each part with its class of value.

use mig_executor::{BatchDone, Cursor, Failure};
use mig_plan::step::{Batch, Batches, Statement};
use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, Row as _, Sqlite, TypeInfo as _, ValueRef as _,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnection, SqliteRow},
};

use super::{fail::failure, read::hex};

/// One part of a key, by SQLite's class of value. A real number is written as its shortest text, so that it comes back exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    Int(i64),
    Real(String),
    Text(String),
    Blob(String),
}

impl Part {
    fn read(row: &SqliteRow, at: usize) -> Result<Self, sqlx::Error> {
        let class = row.try_get_raw(at)?.type_info().name().to_owned();
        Ok(match class.as_str() {
            "INTEGER" => Self::Int(row.try_get_unchecked(at)?),
            "REAL" => Self::Real(format!("{:?}", row.try_get_unchecked::<f64, _>(at)?)),
            "BLOB" => Self::Blob(hex(&row.try_get_unchecked::<Vec<u8>, _>(at)?)),
            _ => Self::Text(row.try_get_unchecked(at)?),
        })
    }

    fn bind<'q>(
        &self,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Result<Query<'q, Sqlite, SqliteArguments>, Failure> {
        let bad = || Failure::broken("a cursor in the journal cannot be read");
        Ok(match self {
            Self::Int(n) => query.bind(*n),
            Self::Real(text) => query.bind(text.parse::<f64>().map_err(|_| bad())?),
            Self::Text(text) => query.bind(text.clone()),
            Self::Blob(digits) => {
                let byte = |i: usize| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok();
                let bytes = (0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>().ok_or_else(bad)?;
                query.bind(bytes)
            }
        })
    }
}

/// Does one batch in the open transaction.
pub(super) async fn batch(
    connection: &mut SqliteConnection,
    batches: &Batches,
    cursor: Option<&Cursor>,
    end: Option<&[Option<String>]>,
    rows: u32,
) -> Result<Option<BatchDone>, Failure> {
    let from: Vec<Part> = match cursor {
        Some(cursor) => serde_json::from_value(cursor.0.clone())
            .map_err(|error| Failure::broken(format!("a cursor in the journal cannot be read: {error}")))?,
        None => Vec::new(),
    };
    let batch = if cursor.is_some() { &batches.next } else { &batches.first };
    let Some(to) = bound(connection, batch, &from, (end, rows)).await? else { return Ok(None) };
    let mut done = 0;
    for statement in &batch.sql {
        done = change(connection, statement, from.iter().chain(&to)).await?;
    }
    let cursor = serde_json::to_value(&to).map_err(|error| Failure::broken(error.to_string()))?;
    Ok(Some(BatchDone { cursor: Cursor(cursor), rows: done }))
}

async fn bound(
    connection: &mut SqliteConnection,
    batch: &Batch,
    from: &[Part],
    (end, rows): (Option<&[Option<String>]>, u32),
) -> Result<Option<Vec<Part>>, Failure> {
    let mut query = sqlx::query(AssertSqlSafe(batch.bound.sql()));
    for part in from {
        query = part.bind(query)?;
    }
    let query = end.into_iter().flatten().fold(query.bind(i64::from(rows)), |query, value| query.bind(value.clone()));
    let row = query.fetch_optional(connection).await.map_err(|error| failure(&error))?;
    let Some(row) = row else { return Ok(None) };
    let parts = (0..row.len()).map(|at| Part::read(&row, at)).collect::<Result<_, _>>();
    parts.map(Some).map_err(|error| failure(&error))
}

async fn change(
    connection: &mut SqliteConnection,
    statement: &Statement,
    values: impl Iterator<Item = &Part>,
) -> Result<u64, Failure> {
    let mut query = sqlx::query(AssertSqlSafe(statement.sql()));
    for part in values {
        query = part.bind(query)?;
    }
    let done = query.execute(connection).await.map_err(|error| failure(&error))?;
    Ok(done.rows_affected())
}
