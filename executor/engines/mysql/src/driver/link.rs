//! The one connection: what is sent over it, and how values come back.

use futures_util::TryStreamExt as _;
use mig_executor::{Failure, Rows};
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Either, Executor as _, MySqlConnection, Row as _, mysql::MySqlRow,
};

use super::failure::failure;

/// One connection, without a pool: every statement of a session goes through the same thread of the server.
pub(super) struct Link {
    connection: Option<MySqlConnection>,
}

impl Link {
    /// Takes over an open connection.
    pub(super) fn new(connection: MySqlConnection) -> Self {
        Self { connection: Some(connection) }
    }

    /// Sends a statement by the text protocol; gives the number of rows that it affected.
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

    /// Sends a query by the text protocol; gives at most `most` rows, each value as text.
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

    /// Sends a query by the text protocol and hands over its rows as they come, each value as text.
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

    /// The single value of a query.
    pub(super) async fn value(&mut self, sql: &str, asked: &str) -> Result<String, Failure> {
        let rows = self.texts(sql, 1, asked).await?;
        Ok(rows.into_iter().flatten().next().flatten().unwrap_or_default())
    }

    /// The connection itself, for statements with parameters.
    pub(super) fn raw(&mut self) -> Result<&mut MySqlConnection, Failure> {
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

/// A row's values as texts. Only for answers that are texts: those of the text protocol, or columns that are.
pub(super) fn texts(row: &MySqlRow) -> Result<Vec<Option<String>>, Failure> {
    (0..row.len())
        .map(|at| {
            let bytes: Option<Vec<u8>> = row.try_get_unchecked(at).map_err(|e| Failure::broken(e.to_string()))?;
            Ok(bytes.map(|b| String::from_utf8_lossy(&b).into_owned()))
        })
        .collect()
}
