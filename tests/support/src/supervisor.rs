//! The process that starts, stops and outlives a server on the test process's behalf.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Starts tried before giving up.
const ATTEMPTS: u32 = 5;

/// A kind of server as the supervisor sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Its name, for messages.
    pub(crate) name: &'static str,
    /// The shell script that keeps it.
    pub(crate) script: &'static str,
    /// The accounts that it may run as where the caller is root, first choice first.
    pub(crate) accounts: &'static [&'static str],
    /// How variables begin that would change what it does.
    pub(crate) environment: &'static str,
}

/// A running supervisor script. Dropping it stops its server and removes the server's files.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
    /// `None` only while dropping. The end of this pipe is the signal to clean up.
    commands: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
    root: PathBuf,
    kind: Kind,
}

impl Supervisor {
    /// Starts the supervisor over the binaries in `bin`; no server runs yet.
    ///
    /// # Panics
    /// If it cannot be started or cannot make its directory.
    pub(crate) fn spawn(kind: Kind, bin: &Path) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(kind.script).arg("supervisor").arg(bin);
        // The tests' directory may be closed to the server's user.
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Ctrl-C goes to the whole foreground group; the supervisor must survive it to clean up.
        command.process_group(0);
        if let Some(account) = Account::for_server(kind.accounts) {
            command.uid(account.user).gid(account.group);
        }
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(kind.environment)) {
            command.env_remove(name);
        }
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run sh: {error}"));
        let commands = child.stdin.take();
        let replies = BufReader::new(child.stdout.take().expect("stdout is piped above"));
        let mut supervisor = Self { child, commands, replies, root: PathBuf::new(), kind };
        let reply = supervisor.reply();
        let root = reply.strip_prefix("directory ");
        supervisor.root = root.unwrap_or_else(|| panic!("no directory for a {} server", kind.name)).into();
        supervisor
    }

    /// The directory of sockets, data and log.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Starts the server on `port`, making its data directory if it has none.
    ///
    /// # Errors
    /// The server's log, if it did not come up.
    pub(crate) fn start(&mut self, port: u16) -> Result<(), String> {
        self.ask(&format!("start {port}"))
    }

    /// Stops the server as a crash would, without a checkpoint.
    ///
    /// # Errors
    /// The server's log, if it could not be stopped.
    pub(crate) fn stop(&mut self) -> Result<(), String> {
        self.ask("stop")
    }

    fn ask(&mut self, command: &str) -> Result<(), String> {
        let pipe = self.commands.as_mut().expect("the pipe is open until drop");
        writeln!(pipe, "{command}")
            .unwrap_or_else(|error| panic!("the {} supervisor has ended: {error}", self.kind.name));
        match &*self.reply() {
            "done" => Ok(()),
            _ => Err(std::fs::read_to_string(self.root.join("log")).unwrap_or_else(|error| format!("no log: {error}"))),
        }
    }

    fn reply(&mut self) -> String {
        let mut line = String::new();
        self.replies
            .read_line(&mut line)
            .unwrap_or_else(|error| panic!("the {} supervisor is gone: {error}", self.kind.name));
        line.trim_end().to_owned()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.commands.take());
        // A failing wait means that it has ended already.
        let _ = self.child.wait();
    }
}

/// A user and its group, by number.
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// Who the server shall run as: `None` for the caller itself. Servers refuse to run as root.
    fn for_server(names: &[&str]) -> Option<Self> {
        if id(&["-u"])? != 0 {
            return None;
        }
        let account = |name: &str| Some(Self { user: id(&["-u", name])?, group: id(&["-g", name])? });
        names.iter().find_map(|name| account(name))
    }
}

/// The number that `id` prints, if it prints one.
fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Starts a server on a free port; another one is tried if the port is taken before the server binds it.
///
/// # Panics
/// If it does not start.
pub(crate) fn start_on_free_port(supervisor: &mut Supervisor) -> u16 {
    let mut log = String::new();
    for _ in 0..ATTEMPTS {
        let port = free_port();
        match supervisor.start(port) {
            Ok(()) => return port,
            Err(text) => log = text,
        }
    }
    panic!("cannot start {}:\n{log}", supervisor.kind.name);
}

/// A port that nobody listens on, below the range for outgoing connections: a client that knocks at a stopped server
/// in that range can be given the very port as its own, meet itself, and keep the server from coming back.
fn free_port() -> u16 {
    let random = RandomState::new();
    let candidates = (0_u32..1000).map(|attempt| 12_000 + (random.hash_one(attempt) % 20_000) as u16);
    let mut free = candidates.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().unwrap_or_else(|| panic!("no free port on 127.0.0.1"))
}
