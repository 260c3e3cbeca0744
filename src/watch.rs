//! What a person, a log or a program sees of a run while it works.

use std::{
    process,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use mig_executor::{Interrupt, Progress, Report, monitor::Level};

use crate::{crash::Crash, exit, terminal};

/// How events are shown.
enum Show {
    /// A bar on a terminal, with lines above it.
    Bar(ProgressBar),
    /// A line for each event that a log wants.
    Lines,
    /// One JSON object a line, on standard output.
    Json,
}

/// How often a log hears of batches.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Shows a run's events, and stops it in order when the user asks.
pub(crate) struct Watch {
    show: Show,
    crash: Crash,
    interrupt: Interrupt,
    logged: Instant,
    noted: Vec<Progress>,
}

impl Watch {
    /// Begins to watch; from here on a first Ctrl-C or SIGTERM asks the run to stop at the next safe point, and a second one cuts the
    /// statement short, or, where the engine cannot, ends the process. Needs the runtime.
    pub(crate) fn start(json: bool, cuts: bool) -> Self {
        let show = match (json, terminal::watched()) {
            (true, _) => Show::Json,
            (false, true) => Show::Bar(bar()),
            (false, false) => Show::Lines,
        };
        let interrupt = Interrupt::default();
        tokio::spawn(heed(interrupt.clone(), cuts));
        Self { show, crash: Crash::from_environment(), interrupt, logged: Instant::now(), noted: Vec::new() }
    }

    /// What bears on the outcome of checks, as it was reported.
    pub(crate) fn noted(&self) -> &[Progress] {
        &self.noted
    }

    /// Ends the display.
    pub(crate) fn end(self) {
        if let Show::Bar(bar) = self.show {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.show {
            Show::Bar(bar) => bar.suspend(|| terminal::note(text)),
            Show::Lines => terminal::note(text),
            Show::Json => {}
        }
    }

    /// On a terminal each batch moves the message; a log gets a line now and then.
    fn batch(&mut self, text: &str) {
        match &self.show {
            Show::Bar(bar) => bar.set_message(text.to_owned()),
            Show::Lines if self.logged.elapsed() >= LOG_EVERY => {
                self.logged = Instant::now();
                terminal::note(text);
            }
            Show::Lines | Show::Json => {}
        }
    }

    fn position(&self, done: usize, of: usize, message: &str) {
        if let Show::Bar(bar) = &self.show {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message(message.to_owned());
        }
    }
}

/// Hears the signals to this process.
async fn heed(interrupt: Interrupt, cuts: bool) {
    while told().await {
        match (interrupt.press(), cuts) {
            (1, _) => terminal::note("stopping at the next safe point; the same command goes on from there"),
            (2, true) => terminal::note("cutting the statement short"),
            _ => {
                terminal::note(
                    "leaving at once: the database takes back what was not committed; the same command goes on",
                );
                process::exit(i32::from(exit::code(&Err(exit::Reason::Failed))));
            }
        }
    }
}

/// Waits for a signal to end. `false` if none can come.
#[cfg(unix)]
async fn told() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return tokio::signal::ctrl_c().await.is_ok() };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
        terminated = terminate.recv() => terminated.is_some(),
    }
}

#[cfg(not(unix))]
async fn told() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}").expect("the template is well formed");
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Report for Watch {
    fn progress(&mut self, progress: &Progress) {
        if let Progress::Warned { .. } | Progress::RunBegan { .. } = progress {
            self.noted.push(progress.clone());
        }
        if let Show::Json = self.show {
            let line = serde_json::to_string(progress).expect("events always encode");
            terminal::say(&line);
            return;
        }
        match progress {
            Progress::StepStarted { n, of, why, .. } => self.position(n.saturating_sub(1), *of, why),
            Progress::StepDone { n, of, .. } => self.position(*n, *of, ""),
            Progress::BatchDone { id, .. } => self.batch(&format!("{id}: {}", speed(progress))),
            _ => {}
        }
        if let Some(words) = words(progress) {
            self.line(&words);
        }
    }

    fn crossing(&mut self, point: &str) {
        self.crash.crossing(point);
    }

    fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }
}

/// An event as a line of a log; `None` for those that only move the bar.
fn words(progress: &Progress) -> Option<String> {
    Some(match progress {
        Progress::StepStarted { .. } | Progress::BatchDone { .. } => return None,
        Progress::Waiting { what } => format!("waiting for {what}"),
        Progress::Warned { at, says, count, samples, .. } => {
            let mut text = format!("warning: {at}: {says}: {}", mig_executor::wrong_rows(*count));
            samples.iter().for_each(|sample| text.push_str(&format!("\n  {sample}")));
            text
        }
        Progress::RunBegan { run, done: 0, of } => format!("run {run}: {}", steps(*of)),
        Progress::RunBegan { run, done, of } => format!("run {run}: goes on, {done} of {of} steps are done"),
        Progress::RollbackBegan { run, done: 0, of } => format!("run {run}: rolling back {}", steps(*of)),
        Progress::RollbackBegan { run, done, of } => {
            format!("run {run}: rollback goes on, {done} of {of} steps are taken back")
        }
        Progress::StepDone { n, of, id, took, rows } => {
            let how = match took {
                Some(took) => format!("{} ms", took.as_millis()),
                None => "was done already".to_owned(),
            };
            let rows = rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
            format!("[{n}/{of}] {id}: {how}{rows}")
        }
        Progress::Retrying { id, attempt, of, says } => format!("{id}: attempt {attempt} of {of} after: {says}"),
        Progress::Repairing { id } => format!("{id}: clearing away what an interrupted statement left"),
        Progress::Reconnecting { says } => format!("connecting again: {says}"),
        Progress::Verified { checks, probes } => {
            format!("what the specs say must hold does: checks {checks}, probes {probes}")
        }
        Progress::Strained { level, says } => {
            let how = if *level == Level::Wait { "waiting" } else { "slowing down" };
            format!("{how}: {says}")
        }
        Progress::Noted { says } => says.clone(),
    })
}

fn steps(count: usize) -> String {
    if count == 1 { "1 step".to_owned() } else { format!("{count} steps") }
}

/// How far a backfill is, how fast, and how long it will take.
fn speed(progress: &Progress) -> String {
    let Progress::BatchDone { rows, total, per_second, left_s, .. } = progress else { return String::new() };
    let mut text = total.map_or_else(|| format!("{rows} rows"), |total| format!("{rows} of {total} rows"));
    if let Some(per_second) = per_second {
        text.push_str(&format!(", {per_second} rows/s"));
    }
    if let Some(left) = left_s {
        text.push_str(&format!(", {} left", span(*left)));
    }
    text
}

fn span(seconds: u64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}
