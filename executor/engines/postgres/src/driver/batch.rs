//! One batch of a backfill.

use mig_executor::{BatchDone, Cursor, Failure};
use mig_plan::{Statement, step::Batches};
use sqlx::{AssertSqlSafe, Postgres, Row as _, postgres::PgArguments, query::Query};

use super::{failure::failure, link::Link};

/// Key values as texts.
type Key = Vec<Option<String>>;

/// Finds the bound of the batch after `cursor`, and runs the batch's statements.
pub(super) async fn batch(
    link: &mut Link,
    batches: &Batches,
    cursor: Option<&Cursor>,
    end: Option<&[Option<String>]>,
    rows: u32,
) -> Result<Option<BatchDone>, Failure> {
    let (batch, from) = match cursor {
        None => (&batches.first, Key::new()),
        Some(Cursor(value)) => {
            let key = serde_json::from_value(value.clone())
                .map_err(|e| Failure::refused(format!("the journal holds a cursor that mig cannot read: {e}")))?;
            (&batches.next, key)
        }
    };
    let asked = "finding the end of a batch";
    let query = bound(&batch.bound, &from).bind(i64::from(rows));
    let query = end.into_iter().flatten().fold(query, |query, value| query.bind(value));
    let Some(row) = query.fetch_optional(link.raw()?).await.map_err(|e| failure(e, asked))? else {
        return Ok(None);
    };
    let to = (0..row.len())
        .map(|at| row.try_get::<Option<String>, _>(at))
        .collect::<Result<Key, _>>()
        .map_err(|e| Failure::broken(format!("the bound of a batch is not text: {e}")))?;
    let mut affected = 0;
    for statement in &batch.sql {
        let query = to.iter().fold(bound(statement, &from), |query, value| query.bind(value));
        affected = query.execute(link.raw()?).await.map_err(|e| failure(e, "running a batch"))?.rows_affected();
    }
    Ok(Some(BatchDone { cursor: Cursor(to.into()), rows: affected }))
}

/// A statement with the first of its parameters: those of the key where the batch begins.
fn bound<'q>(statement: &Statement, from: &'q Key) -> Query<'q, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(statement.sql())).persistent(false);
    from.iter().fold(query, |query, value| query.bind(value))
}
