//! Stops on purpose, in debug builds only: tests kill the process at each point of a run at which a crash could hurt.

use std::{env, fs, fs::OpenOptions, io::Write as _, thread, time::Duration};

use mig_executor::{Progress, Report};

/// Counts the points that a run crosses.
#[derive(Debug, Default)]
pub(crate) struct Crash {
    crossed: u64,
    stop_at: Option<u64>,
    stopped: Option<String>,
    list: Option<String>,
}

impl Crash {
    /// What the environment asks for: `MIG_STOP_AT=N` writes the N-th point's name into the file `MIG_STOPPED` and waits there to be
    /// killed, `MIG_CRASH_LIST=FILE` appends each point's name.
    pub(crate) fn from_environment() -> Self {
        if !cfg!(debug_assertions) {
            return Self::default();
        }
        let stop_at = env::var("MIG_STOP_AT").ok().and_then(|n| n.parse().ok());
        Self { crossed: 0, stop_at, stopped: env::var("MIG_STOPPED").ok(), list: env::var("MIG_CRASH_LIST").ok() }
    }

    /// A point was reached.
    pub(crate) fn crossing(&mut self, point: &str) {
        self.crossed += 1;
        if let Some(path) = &self.list {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let written = file.and_then(|mut file| writeln!(file, "{point}"));
            written.expect("a test that asks for the list names a file that can be written");
        }
        if self.stop_at == Some(self.crossed) {
            if let Some(path) = &self.stopped {
                fs::write(path, point).expect("a test that stops a run names a file that can be written");
            }
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        }
    }
}

/// For what is watched by nobody.
impl Report for Crash {
    fn progress(&mut self, _: &Progress) {}

    fn crossing(&mut self, point: &str) {
        Self::crossing(self, point);
    }
}
