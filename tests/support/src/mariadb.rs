//! Private MariaDB servers and fresh databases in them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::supervisor::{Kind, Supervisor, start_on_free_port};
use crate::tool;

const KIND: Kind = Kind {
    name: "mariadb",
    script: include_str!("mariadb/supervisor.sh"),
    accounts: &["mysql", "nobody"],
    environment: "MYSQL",
};

/// The package that holds the programs.
const PACKAGE: &str = "mariadb-server";

/// A private server with its own data directory, on 127.0.0.1; superuser `root`, no password. It is stopped and its
/// files are removed on drop, or when the test process ends in whatever way.
#[derive(Debug)]
pub struct Server {
    supervisor: Mutex<Supervisor>,
    port: u16,
    databases: AtomicU32,
}

/// The server that all tests of this process share, started on first use.
///
/// # Panics
/// If no MariaDB is installed, or the server does not start.
pub fn server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start_own)
}

/// The directory of the server's program.
fn directory() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/libexec")];
    let found = std::env::split_paths(&path).chain(usual).find(|dir| dir.join("mariadbd").is_file());
    found.unwrap_or_else(|| panic!("no MariaDB server is installed; {}", tool::install(PACKAGE)))
}

impl Server {
    /// Starts a server that only the caller knows, for tests that stop it.
    ///
    /// # Panics
    /// If no MariaDB is installed, or the server does not start.
    pub fn start_own() -> Self {
        let mut supervisor = Supervisor::spawn(KIND, &directory());
        let port = start_on_free_port(&mut supervisor);
        Self { supervisor: Mutex::new(supervisor), port, databases: AtomicU32::new(0) }
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates a database and loads the script `sql` (which may be empty) into it.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn database(&self, sql: &str) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let database = Database { port: self.port, name };
        let create = format!("create database {} character set utf8mb4 collate utf8mb4_general_ci", database.name);
        database.client("mysql", &create).unwrap_or_else(|error| panic!("{error}"));
        if !sql.is_empty() {
            database.sql(sql);
        }
        database
    }

    /// Stops the server as a crash would.
    ///
    /// # Panics
    /// If it does not run.
    pub fn stop_immediate(&self) {
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        supervisor.stop().unwrap_or_else(|log| panic!("cannot stop mariadb:\n{log}"));
    }

    /// Starts the server again on its port, and returns when it takes connections.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(&self) {
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        supervisor.start(self.port).unwrap_or_else(|log| panic!("cannot start mariadb:\n{log}"));
    }
}

/// A database that is dropped when this value is.
#[derive(Debug)]
pub struct Database {
    port: u16,
    name: String,
}

impl Database {
    /// Its name, unique in its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `mysql://root@127.0.0.1:PORT/NAME`.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// Runs a script; rows one a line, values parted by `|`, without the last newline.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).unwrap_or_else(|error| panic!("{error}\nin:\n{sql}"))
    }

    /// As [`Self::sql`], for statements that are expected to fail.
    ///
    /// # Errors
    /// What the client said, if a statement failed. Those before it have run.
    pub fn try_sql(&self, sql: &str) -> Result<String, String> {
        self.client(&self.name, sql)
    }

    /// The schema as `mariadb-dump` prints it, without tables whose name begins with `_mig_`.
    ///
    /// # Panics
    /// If `mariadb-dump` fails.
    pub fn dump(&self) -> String {
        let own = self.sql("select table_name from information_schema.tables where table_schema = database() and left(table_name, 5) = '_mig_'");
        let mut command = self.command("mariadb-dump");
        command.args(["--no-data", "--skip-comments", "--skip-set-charset", "--routines", "--events"]);
        for table in own.lines() {
            command.arg(format!("--ignore-table={}.{table}", self.name));
        }
        command.arg(&self.name);
        tool::run(command, "", PACKAGE).unwrap_or_else(|error| panic!("{error}"))
    }

    fn client(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut command = self.command("mariadb");
        command.args(["--batch", "--skip-column-names", "--default-character-set=utf8mb4", database]);
        tool::run(command, sql, PACKAGE).map(|text| text.replace('\t', "|"))
    }

    /// A client program with only our connection in its environment.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MYSQL")) {
            command.env_remove(name);
        }
        command.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=root"]);
        command.arg(format!("--port={}", self.port)).env("LC_ALL", "C.UTF-8");
        command
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The test may have stopped its server; the server's end takes the database with it anyway.
        let _ = self.client("mysql", &format!("drop database if exists {}", self.name));
    }
}
