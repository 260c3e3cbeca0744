//! A fresh database for one test.

use super::client::Client;
use super::dump;

/// A database that is dropped, with its connections, when this value is.
#[derive(Debug)]
pub struct Database {
    client: Client,
    name: String,
}

impl Database {
    pub(super) fn create(client: Client, name: String, sql: &str) -> Self {
        // template0 takes no connections, so that no other session can be in the way of copying it.
        let create = format!("create database {name} template template0");
        client.psql("postgres", &create).unwrap_or_else(|error| panic!("{error}"));
        let database = Self { client, name };
        if !sql.is_empty() {
            database.psql(sql);
        }
        database
    }

    /// Its name, unique in its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `postgres://postgres@127.0.0.1:PORT/NAME`.
    pub fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// The URL for another role, which the test has created.
    pub fn url_as(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{}", self.client.port, self.name)
    }

    /// Runs a script, each statement in its own transaction; rows one a line, values parted by `|`, without the last
    /// newline.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn psql(&self, sql: &str) -> String {
        self.try_psql(sql).unwrap_or_else(|error| panic!("{error}\nin:\n{sql}"))
    }

    /// As [`Self::psql`], for statements that are expected to fail.
    ///
    /// # Errors
    /// What `psql` said, if a statement failed. Those before it have run.
    pub fn try_psql(&self, sql: &str) -> Result<String, String> {
        self.client.psql(&self.name, sql)
    }

    /// The schema as `pg_dump --schema-only --no-owner` prints it, without what varies from run to run: comments,
    /// settings, and the dump's own random key. Two databases of one shape give the same text.
    ///
    /// # Panics
    /// If `pg_dump` fails.
    pub fn dump(&self) -> String {
        dump::shape(&self.client.dump_schema(&self.name).unwrap_or_else(|error| panic!("{error}")))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The test may have stopped its server, or may have prepared a transaction that holds the database; the
        // server's end takes the database with it anyway.
        let _ = self.client.psql("postgres", &format!("drop database if exists {} with (force)", self.name));
    }
}
