//! Private PostgreSQL servers and fresh databases in them.

mod binaries;
mod client;
mod database;
mod dump;
mod supervisor;

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use client::Client;
pub use database::Database;
use supervisor::Supervisor;

/// Starts tried before giving up, each on another port: a free port may be taken before the server binds it.
const ATTEMPTS: u32 = 5;

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
        let mut supervisor = Supervisor::spawn(&bin);
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

fn start_on_free_port(supervisor: &mut Supervisor) -> u16 {
    let mut log = String::new();
    for _ in 0..ATTEMPTS {
        let port = free_port();
        match supervisor.start(port) {
            Ok(()) => return port,
            Err(text) => log = text,
        }
    }
    panic!("cannot start postgres:\n{log}");
}

/// A port that nobody listens on, below the range for outgoing connections: a client that knocks at a stopped server
/// in that range can be given the very port as its own, meet itself, and keep the server from coming back.
fn free_port() -> u16 {
    let random = RandomState::new();
    let candidates = (0_u32..1000).map(|attempt| 12_000 + (random.hash_one(attempt) % 20_000) as u16);
    let mut free = candidates.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().unwrap_or_else(|| panic!("no free port on 127.0.0.1"))
}
