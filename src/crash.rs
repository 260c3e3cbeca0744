//! Crashes on purpose, in debug builds only: tests end the process at each point of a run at which a crash could hurt.

use std::{env, fs::OpenOptions, io::Write as _, process};

/// Counts the points that a run crosses.
#[derive(Debug, Default)]
pub(crate) struct Crash {
    crossed: u64,
    at: Option<u64>,
    list: Option<String>,
}

impl Crash {
    /// What the environment asks for: `MIG_CRASH_AT=N` aborts at the N-th point, `MIG_CRASH_LIST=FILE` appends each point's name.
    pub(crate) fn from_environment() -> Self {
        if !cfg!(debug_assertions) {
            return Self::default();
        }
        let at = env::var("MIG_CRASH_AT").ok().and_then(|n| n.parse().ok());
        Self { crossed: 0, at, list: env::var("MIG_CRASH_LIST").ok() }
    }

    /// A point was reached.
    pub(crate) fn crossing(&mut self, point: &str) {
        self.crossed += 1;
        if let Some(path) = &self.list {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let written = file.and_then(|mut file| writeln!(file, "{point}"));
            written.expect("a test that asks for the list names a file that can be written");
        }
        if self.at == Some(self.crossed) {
            process::abort();
        }
    }
}
