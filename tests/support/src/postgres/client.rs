//! The stock client programs, pointed at one server.

use std::path::PathBuf;
use std::process::Command;

use super::binaries;
use crate::tool;

/// Where the server's own programs are and where it listens.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) bin: PathBuf,
    pub(super) port: u16,
}

impl Client {
    /// Runs a script by `psql`, each statement in its own transaction, and stops at the first error. Gives the rows
    /// one a line, values parted by `|`, without the last newline.
    ///
    /// # Errors
    /// What `psql` said, if a statement failed.
    pub(super) fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut command = self.command("psql", database);
        command.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        tool::run(command, sql, "postgresql")
    }

    /// The schema as `pg_dump` prints it.
    ///
    /// # Errors
    /// What `pg_dump` said, if it failed.
    pub(super) fn dump_schema(&self, database: &str) -> Result<String, String> {
        let mut command = self.command("pg_dump", database);
        command.args(["--schema-only", "--no-owner"]);
        tool::run(command, "", "postgresql").map_err(|says| match says.contains("server version mismatch") {
            true => format!("{says}\nput a pg_dump of the server's version or a newer one first in PATH"),
            false => says,
        })
    }

    /// A client program with only our connection in its environment.
    fn command(&self, program: &str, database: &str) -> Command {
        let mut command = Command::new(binaries::client(&self.bin, program));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command.env("PGUSER", "postgres").env("PGDATABASE", database);
        // Messages in English and text in UTF-8 whatever the caller's locale; no prompt can be answered.
        command.env("PGCLIENTENCODING", "UTF8").env("LC_ALL", "C.UTF-8").arg("--no-password");
        command
    }
}
