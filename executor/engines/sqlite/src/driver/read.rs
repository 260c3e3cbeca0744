//! Reads the schema, and answers to queries as text.

use futures_util::TryStreamExt as _;
use mig_executor::{Failure, Rows};
use sqlx::{
    AssertSqlSafe, Column as _, Row as _, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteConnection, SqliteRow},
};

use super::fail::failure;
use crate::dialect::{Assembled, SchemaRow, assemble};

const SCHEMA: &str = "SELECT s.type, s.name, s.tbl_name, s.sql, coalesce(l.type = 'shadow', 0)
FROM main.sqlite_schema AS s
LEFT JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = s.name";

/// Everything that the database holds.
pub(super) async fn schema(connection: &mut SqliteConnection) -> Result<Assembled, Failure> {
    let rows = ask(connection, SCHEMA, usize::MAX).await?;
    let mut read = Vec::new();
    for row in rows {
        let [Some(kind), Some(name), Some(table), sql, shadow] = <[Option<String>; 5]>::try_from(row)
            .map_err(|row| Failure::broken(format!("a row of the schema has {} values", row.len())))?
        else {
            return Err(Failure::broken("an object of the schema has no name"));
        };
        read.push(SchemaRow { kind, name, table, sql, shadow: shadow.as_deref() == Some("1") });
    }
    Ok(assemble(&read))
}

/// The first rows of a query that may come from a spec and must change nothing.
pub(super) async fn ask_only(
    connection: &mut SqliteConnection,
    sql: &str,
    most: usize,
) -> Result<Vec<Vec<Option<String>>>, Failure> {
    ask(connection, "PRAGMA query_only = 1", 1).await?;
    let found = ask(connection, sql, most).await;
    ask(connection, "PRAGMA query_only = 0", 1).await?;
    found
}

/// Hands over the rows of a query that may come from a spec and must change nothing.
pub(super) async fn stream(connection: &mut SqliteConnection, sql: &str, to: &mut dyn Rows) -> Result<(), Failure> {
    ask(connection, "PRAGMA query_only = 1", 1).await?;
    let done = each(connection, sql, to).await;
    ask(connection, "PRAGMA query_only = 0", 1).await?;
    done
}

async fn each(connection: &mut SqliteConnection, sql: &str, to: &mut dyn Rows) -> Result<(), Failure> {
    let mut named = false;
    let mut rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(|error| failure(&error))? {
        if !named {
            to.columns(row.columns().iter().map(|column| column.name().to_owned()).collect());
            named = true;
        }
        to.row((0..row.len()).map(|i| text(&row, i)).collect::<Result<_, _>>()?);
    }
    Ok(())
}

/// The first rows of a query, each value as text; a blob as `x'..'`.
pub(super) async fn ask(
    connection: &mut SqliteConnection,
    sql: &str,
    most: usize,
) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let mut out = Vec::new();
    let mut rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch(connection);
    while out.len() < most {
        let Some(row) = rows.try_next().await.map_err(|error| failure(&error))? else { break };
        out.push((0..row.len()).map(|i| text(&row, i)).collect::<Result<_, _>>()?);
    }
    Ok(out)
}

/// A value as text.
fn text(row: &SqliteRow, at: usize) -> Result<Option<String>, Failure> {
    let raw = row.try_get_raw(at).map_err(|error| failure(&error))?;
    if raw.is_null() {
        return Ok(None);
    }
    let class = raw.type_info().name().to_owned();
    let read = match class.as_str() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(at).map(|n| n.to_string()),
        "REAL" => row.try_get_unchecked::<f64, _>(at).map(|n| format!("{n:?}")),
        "BLOB" => row.try_get_unchecked::<Vec<u8>, _>(at).map(|bytes| format!("x'{}'", hex(&bytes))),
        _ => row
            .try_get_unchecked::<String, _>(at)
            .or_else(|_| row.try_get_unchecked::<Vec<u8>, _>(at).map(|b| String::from_utf8_lossy(&b).into_owned())),
    };
    read.map(Some).map_err(|error| failure(&error))
}

/// Bytes in hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
