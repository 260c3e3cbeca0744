//! Runs the binary under test as a user would, away from the caller's own settings.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How one run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit code; `None` if a signal ended the run.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A binary, the directory it runs in, and the variables that are set for it.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    dir: PathBuf,
    variables: Vec<(OsString, OsString)>,
}

/// Runs `binary` (in a test of the package: `env!("CARGO_BIN_EXE_mig")`) in directory `dir`.
///
/// # Panics
/// If the binary cannot be started.
pub fn mig<I: IntoIterator<Item: AsRef<OsStr>>>(binary: &str, dir: &Path, args: I) -> Output {
    Program::new(binary, dir).run(args)
}

impl Program {
    /// `binary`, run in `dir`.
    pub fn new(binary: impl Into<PathBuf>, dir: impl Into<PathBuf>) -> Self {
        Self { path: binary.into(), dir: dir.into(), variables: Vec::new() }
    }

    /// Sets a variable for every run.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// The prepared command, for a test that wants to hold the process: standard input empty, both outputs piped.
    pub fn command<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args).current_dir(&self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in env::vars_os().filter(|(name, _)| is_callers_setting(name)) {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1").envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs to the end and collects what was printed.
    ///
    /// # Panics
    /// If the binary cannot be started.
    pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Output {
        let output = self.command(args).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run {}: {error}", self.path.display()));
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// What a developer may have set for their own work, and would make a test's output theirs.
fn is_callers_setting(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let whole =
        ["COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "DATABASE_URL", "FORCE_COLOR", "SSH_AUTH_SOCK", "SSH_ASKPASS"];
    whole.contains(&&*name) || name.starts_with("MIG_") || name.starts_with("PG")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Program, mig};

    #[test]
    fn captures_both_outputs_and_the_code() {
        let output = mig("/bin/sh", Path::new("/"), ["-c", "pwd; echo $NO_COLOR; echo bad >&2; exit 3"]);
        assert_eq!((output.code, &*output.stdout, &*output.stderr), (Some(3), "/\n1\n", "bad\n"));
    }

    #[test]
    fn a_signal_gives_no_code() {
        assert_eq!(mig("/bin/sh", Path::new("/"), ["-c", "kill -9 $$"]).code, None);
    }

    #[test]
    fn own_variables_win() {
        let program = Program::new("/bin/sh", "/").env("PGOPTIONS", "-c a=b").env("MIG_URL", "u");
        assert_eq!(program.run(["-c", "echo $PGOPTIONS $MIG_URL"]).stdout, "-c a=b u\n");
    }
}
