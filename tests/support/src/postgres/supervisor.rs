//! The process that starts, stops and outlives a server on the test process's behalf.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running `supervisor.sh`. Dropping it stops its server and removes the server's files.
#[derive(Debug)]
pub(super) struct Supervisor {
    child: Child,
    /// `None` only while dropping. The end of this pipe is the signal to clean up.
    commands: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
    root: PathBuf,
}

impl Supervisor {
    /// Starts the supervisor over the binaries in `bin`; no server runs yet.
    ///
    /// # Panics
    /// If it cannot be started or cannot make its directory.
    pub(super) fn spawn(bin: &Path) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(include_str!("supervisor.sh")).arg("supervisor").arg(bin);
        // The tests' directory may be closed to the server's user.
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Ctrl-C goes to the whole foreground group; the supervisor must survive it to clean up.
        command.process_group(0);
        if let Some(account) = Account::for_server() {
            command.uid(account.user).gid(account.group);
        }
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run sh: {error}"));
        let commands = child.stdin.take();
        let replies = BufReader::new(child.stdout.take().expect("stdout is piped above"));
        let mut supervisor = Self { child, commands, replies, root: PathBuf::new() };
        let reply = supervisor.reply();
        let root = reply.strip_prefix("directory ");
        supervisor.root = root.unwrap_or_else(|| panic!("no directory for a postgres server")).into();
        supervisor
    }

    /// The directory of sockets, data and log.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Starts the server on `port`, making its data directory if it has none.
    ///
    /// # Errors
    /// The server's log, if it did not come up.
    pub(super) fn start(&mut self, port: u16) -> Result<(), String> {
        self.ask(&format!("start {port}"))
    }

    /// Stops the server as a crash would, without a checkpoint.
    ///
    /// # Errors
    /// The server's log, if it could not be stopped.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        self.ask("stop")
    }

    fn ask(&mut self, command: &str) -> Result<(), String> {
        let pipe = self.commands.as_mut().expect("the pipe is open until drop");
        writeln!(pipe, "{command}").unwrap_or_else(|error| panic!("the postgres supervisor has ended: {error}"));
        match &*self.reply() {
            "done" => Ok(()),
            _ => Err(std::fs::read_to_string(self.root.join("log")).unwrap_or_else(|error| format!("no log: {error}"))),
        }
    }

    fn reply(&mut self) -> String {
        let mut line = String::new();
        self.replies.read_line(&mut line).unwrap_or_else(|error| panic!("the postgres supervisor is gone: {error}"));
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
    /// Who the server shall run as: `None` for the caller itself. PostgreSQL refuses to run as root.
    fn for_server() -> Option<Self> {
        if id(&["-u"])? != 0 {
            return None;
        }
        let account = |name| Some(Self { user: id(&["-u", name])?, group: id(&["-g", name])? });
        account("postgres").or_else(|| account("nobody"))
    }
}

/// The number that `id` prints, if it prints one.
fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
