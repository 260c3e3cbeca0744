//! Private PostgreSQL servers and fresh databases in them.

mod binaries;
mod client;
mod database;
mod dump;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use client::Client;
pub use database::Database;

use crate::supervisor::{Kind, Supervisor, start_on_free_port};

const KIND: Kind = Kind {
    name: "postgres",
    script: include_str!("postgres/supervisor.sh"),
    accounts: &["postgres", "nobody"],
    environment: "PG",
};

/// A private server with its own data directory, on 127.0.0.1 and a unix socket; superuser `postgres`, no password.
///
/// It runs without fsync: its data survives a killed server, not a killed machine. It is stopped and its files are
/// removed on drop, or when the test process ends in whatever way.
#[derive(Debug)]
pub struct Server {
    supervisor: Mutex<Supervisor>,
    client: Client,
    socket_dir: PathBuf,
    databases: AtomicU32,
}

/// The server that all tests of this process share, started on first use. It must not be stopped: see
/// [`Server::start_own`].
///
/// # Panics
/// If no PostgreSQL is installed, or the server does not start.
pub fn server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start_own)
}

impl Server {
    /// Starts a server that only the caller knows, for tests that stop it.
    ///
    /// # Panics
    /// If no PostgreSQL is installed, or the server does not start.
    pub fn start_own() -> Self {
        let bin = binaries::directory();
        let mut supervisor = Supervisor::spawn(KIND, &bin);
        let port = start_on_free_port(&mut supervisor);
        Self {
            socket_dir: supervisor.root().to_owned(),
            supervisor: Mutex::new(supervisor),
            client: Client { bin, port },
            databases: AtomicU32::new(0),
        }
    }

    /// The TCP port on 127.0.0.1. It stays the same over [`Self::stop_immediate`] and [`Self::start`].
    pub fn port(&self) -> u16 {
        self.client.port
    }

    /// The directory of the unix socket. Only the server's user may enter it, and root.
    pub fn socket_dir(&self) -> &std::path::Path {
        &self.socket_dir
    }

    /// The major version, as in 17.
    pub fn version(&self) -> u32 {
        let number = self.psql("show server_version_num");
        number.parse::<u32>().unwrap_or_else(|_| panic!("not a version number: {number}")) / 10_000
    }

    /// Runs a script in the maintenance database, as [`Database::psql`] does; for roles and other things that all
    /// databases share.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn psql(&self, sql: &str) -> String {
        self.client.psql("postgres", sql).unwrap_or_else(|error| panic!("{error}\nin:\n{sql}"))
    }

    /// Creates a database and loads the script `sql` (which may be empty) into it.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn database(&self, sql: &str) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        Database::create(self.client.clone(), name, sql)
    }

    /// Stops the server as a crash would: every backend ends at once, and the next start recovers from the log.
    ///
    /// # Panics
    /// If it does not run.
    pub fn stop_immediate(&self) {
        self.supervisor().stop().unwrap_or_else(|log| panic!("cannot stop postgres:\n{log}"));
    }

    /// Starts the server again on its port, and returns when it takes connections.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(&self) {
        self.supervisor().start(self.port()).unwrap_or_else(|log| panic!("cannot start postgres:\n{log}"));
    }

    fn supervisor(&self) -> MutexGuard<'_, Supervisor> {
        // A failed command leaves the supervisor listening, so a panic elsewhere does not spoil it.
        self.supervisor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
