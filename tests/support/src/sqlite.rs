//! SQLite database files, loaded and read by the stock `sqlite3` tool.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::tool;

/// A database file in a directory of its own; both are removed on drop.
#[derive(Debug)]
pub struct SqliteFile {
    path: PathBuf,
    _dir: TempDir,
}

/// A new database file, loaded with the script `sql` (which may be empty).
///
/// # Panics
/// If `sqlite3` is missing or the script fails.
pub fn database(sql: &str) -> SqliteFile {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("cannot make a directory: {error}"));
    let file = SqliteFile { path: dir.path().join("test.db"), _dir: dir };
    // An empty script would leave no file at all, and mig must not be the one to create it.
    file.query(&format!("{sql}\n;\nvacuum;"));
    file
}

impl SqliteFile {
    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `sqlite:///abs/path`.
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    /// Runs a script; rows one a line, values parted by `|`, without the last newline.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn query(&self, sql: &str) -> String {
        self.try_query(sql).unwrap_or_else(|error| panic!("{error}\nin:\n{sql}"))
    }

    /// As [`Self::query`], for statements that are expected to fail.
    ///
    /// # Errors
    /// What `sqlite3` said, if a statement failed. Those before it have run.
    pub fn try_query(&self, sql: &str) -> Result<String, String> {
        let mut command = Command::new("sqlite3");
        // The tool would otherwise read the caller's ~/.sqliterc, which may change the output.
        command.args(["-batch", "-bail", "-init", "/dev/null"]).arg(&self.path);
        tool::run(command, sql, "sqlite3")
    }

    /// Schema and rows as one script (`.dump`).
    pub fn dump(&self) -> String {
        self.query(".dump\n")
    }

    /// The schema as one script (`.schema`).
    pub fn schema(&self) -> String {
        self.query(".schema\n")
    }
}

#[cfg(test)]
mod tests {
    use super::database;

    #[test]
    fn loads_reads_and_dumps() {
        let file = database("create table t (a integer, b text); insert into t values (1, 'x'), (2, null);");
        assert_eq!(file.query("select * from t order by a;"), "1|x\n2|");
        assert_eq!(file.schema(), "CREATE TABLE t (a integer, b text);");
        assert!(file.dump().contains("INSERT INTO t VALUES(1,'x');"), "{}", file.dump());
        assert!(file.url().starts_with("sqlite:///"), "{}", file.url());
    }

    #[test]
    fn an_empty_script_leaves_an_empty_database() {
        let file = database("");
        assert!(file.path().is_file());
        assert_eq!(file.schema(), "");
    }

    #[test]
    fn a_failing_statement_is_told() {
        let error = database("").try_query("select * from nowhere;").unwrap_err();
        assert!(error.contains("no such table: nowhere"), "{error}");
    }

    #[test]
    fn the_file_is_gone_after_drop() {
        let file = database("");
        let path = file.path().to_owned();
        drop(file);
        assert!(!path.exists());
    }
}
