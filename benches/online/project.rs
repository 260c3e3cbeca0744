//! A folder with specs and a signer, and `mig` run in it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use mig_test_support::{keys::Key, postgres::Database};

use crate::change::Change;

/// A signer and a folder with specs of the table as it is.
pub(crate) struct Project {
    pub(crate) dir: PathBuf,
    key: Key,
    signers: PathBuf,
    specs: String,
}

impl Project {
    pub(crate) fn new(database: &Database, name: &str) -> Self {
        let dir = env::temp_dir().join(format!("mig-online-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let key = Key::new("alice@example.com");
        let signers = key.allowed_signers(&["alice@example.com"]);
        mig(&dir, &["import", "--url", &database.url(), "--specs", "specs"]);
        let specs = fs::read_to_string(dir.join("specs/schema.toml")).unwrap();
        Self { dir, key, signers, specs }
    }

    pub(crate) fn plan(&self, change: &Change, database: &Database) {
        let (from, to) = change.edit;
        assert!(self.specs.contains(from), "{from} is not in\n{}", self.specs);
        fs::write(self.dir.join("specs/schema.toml"), self.specs.replacen(from, to, 1) + change.more).unwrap();
        for file in fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|ending| ending == "sig") {
                fs::remove_file(file).unwrap();
            }
        }
        mig(&self.dir, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"]);
        mig(&self.dir, &["sign", "plan.json", "--key", &self.key.path().display().to_string()]);
    }

    /// Writes the executor's configuration.
    pub(crate) fn configure(&self, text: &str) {
        fs::write(self.dir.join("mig.toml"), text).unwrap();
    }

    /// Applies the plan as far as that.
    pub(crate) fn apply(&self, through: &str, url: &str) {
        self.run(&["apply", "plan.json", "--through", through], url);
    }

    /// Takes back what was applied.
    pub(crate) fn rollback(&self, url: &str) {
        self.run(&["rollback", "--plan", "plan.json"], url);
    }

    /// Starts a command of the executor.
    pub(crate) fn spawn(&self, command: &[&str], url: &str, stdout: Stdio) -> Child {
        let signers = self.signers.display().to_string();
        let with = ["--url", url, "--allowed-signers", &signers, "--yes"];
        let mut mig = Command::new(env!("CARGO_BIN_EXE_mig"));
        mig.args([command, &with].concat()).current_dir(&self.dir).stdin(Stdio::null()).stdout(stdout);
        mig.stderr(Stdio::null()).spawn().unwrap()
    }

    fn run(&self, command: &[&str], url: &str) {
        let signers = self.signers.display().to_string();
        let with = ["--url", url, "--allowed-signers", &signers, "--yes"];
        mig(&self.dir, &[command, &with].concat());
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.dir).unwrap();
    }
}

fn mig(dir: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mig"));
    let done = command.args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}
