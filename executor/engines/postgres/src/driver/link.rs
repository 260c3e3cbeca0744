//! The one connection: what is sent over it, and how values come back.

use futures_util::TryStreamExt as _;
use mig_executor::{Failure, Rows};
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Either, Executor as _, PgConnection, Row as _, ValueRef as _,
    postgres::PgRow,
};

use super::failure::failure;

/// One connection, without a pool: every statement of a session goes through the same backend.
pub(super) struct Link {
    connection: Option<PgConnection>,
}

impl Link {
    /// Takes over an open connection.
    pub(super) fn new(connection: PgConnection) -> Self {
        Self { connection: Some(connection) }
    }

    /// Sends statements by the simple protocol; gives the number of rows that the last affected.
    pub(super) async fn run(&mut self, sql: &str, asked: &str) -> Result<u64, Failure> {
        let mut affected = 0;
        let mut stream = self.raw()?.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
        while let Some(next) = stream.try_next().await.map_err(|e| failure(e, asked))? {
            if let Either::Left(done) = next {
                affected = done.rows_affected();
            }
        }
        Ok(affected)
    }

    /// Sends queries by the simple protocol; gives at most `most` rows of all of them together, each value as text.
    pub(super) async fn texts(
        &mut self,
        sql: &str,
        most: usize,
        asked: &str,
    ) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let mut out = Vec::new();
        let mut stream = self.raw()?.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
        // The answer is read to its end even when enough rows are there: the connection is used again.
        while let Some(next) = stream.try_next().await.map_err(|e| failure(e, asked))? {
            if let Either::Right(row) = next
                && out.len() < most
            {
                out.push(texts(&row)?);
            }
        }
        Ok(out)
    }

    /// Sends queries by the simple protocol and hands over their rows as they come, each value as text.
    pub(super) async fn stream(&mut self, sql: &str, to: &mut dyn Rows, asked: &str) -> Result<(), Failure> {
        let mut named = false;
        let mut stream = self.raw()?.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
        while let Some(next) = stream.try_next().await.map_err(|e| failure(e, asked))? {
            if let Either::Right(row) = next {
                if !named {
                    to.columns(row.columns().iter().map(|column| column.name().to_owned()).collect());
                    named = true;
                }
                to.row(texts(&row)?);
            }
        }
        Ok(())
    }

    /// The single value of each of several queries, in their order.
    pub(super) async fn values(&mut self, sql: &str, asked: &str) -> Result<Vec<String>, Failure> {
        let rows = self.texts(sql, usize::MAX, asked).await?;
        Ok(rows.into_iter().map(|row| row.into_iter().next().flatten().unwrap_or_default()).collect())
    }

    /// Hands over the single value of each of several queries while the server works on the next.
    pub(super) async fn each(
        &mut self,
        sql: &str,
        asked: &str,
        mut take: impl FnMut(&str) -> Result<(), Failure> + Send,
    ) -> Result<(), Failure> {
        let mut wrong = Ok(());
        let mut stream = self.raw()?.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
        // The answer is read to its end even when a part of it is wrong: the connection is used again.
        while let Some(next) = stream.try_next().await.map_err(|e| failure(e, asked))? {
            if let Either::Right(row) = next
                && wrong.is_ok()
            {
                wrong =
                    texts(&row).and_then(|row| take(row.into_iter().next().flatten().as_deref().unwrap_or_default()));
            }
        }
        wrong
    }

    /// The single value of a query.
    pub(super) async fn value(&mut self, sql: &str, asked: &str) -> Result<String, Failure> {
        Ok(self.values(sql, asked).await?.pop().unwrap_or_default())
    }

    /// The connection itself, for statements with parameters.
    pub(super) fn raw(&mut self) -> Result<&mut PgConnection, Failure> {
        self.connection.as_mut().ok_or_else(|| Failure::broken("the session was closed already"))
    }

    /// Ends the session in order; nothing happens if it is closed already.
    pub(super) async fn close(&mut self) -> Result<(), Failure> {
        match self.connection.take() {
            Some(connection) => connection.close().await.map_err(|e| failure(e, "closing the connection")),
            None => Ok(()),
        }
    }
}

/// A row's values as texts. Only for answers of the simple protocol, where the server sends texts.
fn texts(row: &PgRow) -> Result<Vec<Option<String>>, Failure> {
    (0..row.len())
        .map(|at| {
            let value = row.try_get_raw(at).map_err(|e| Failure::broken(e.to_string()))?;
            if value.is_null() {
                return Ok(None);
            }
            let text = value.as_str().map_err(|e| Failure::broken(e.to_string()))?;
            Ok(Some(text.to_owned()))
        })
        .collect()
}
