//! What people ask of a run that is under way: through the database from anywhere, or by a signal to the process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    driver::{Driver, Lease},
    runs::{RunSummary, history},
    stop::Stop,
};

/// What is asked of a run. That it goes on is asked by taking the wish back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// Finish the batch or step, then wait. It stays until it is taken back, also for the next executor.
    Pause,
    /// Finish the batch or step, then end. It is meant for the executor that is at work.
    Stop,
}

impl Wish {
    /// The word that the database and people use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }

    /// The wish of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Pause, Self::Stop].into_iter().find(|wish| wish.word() == word)
    }
}

/// A wish as it stands in the database, one for each run at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// What is asked.
    pub wish: Wish,
    /// Who asks, in words: a user and a machine.
    pub by: String,
    /// Since when: RFC 3339, UTC.
    pub at: String,
}

/// What the process itself was told, shared with whoever hears its signals.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// The process was told to end: once more than before. Gives how often by now.
    pub fn press(&self) -> u8 {
        self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Whether the run is to end at the next safe point.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Whether the statement that is at work is to be cut short.
    #[must_use]
    pub fn cuts(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The executor does as asked.
    Done,
    /// The wish stands, and an executor is in a step that it finishes first.
    Noted {
        /// Who is at work, in words.
        by: String,
    },
    /// Nobody is at work on this database. A pause stands for the next executor, a stop has nothing to stop.
    Idle,
    /// There was no wish to take back.
    Nothing,
}

/// How often the journal is asked whether a wish was heard.
const POLL: Duration = Duration::from_millis(300);

/// Asks a run to pause or stop, and waits at most `wait` until it has.
///
/// # Errors
/// [`Stop`] if there is no such run, it is closed, or the database cannot be asked.
pub async fn ask(driver: &mut dyn Driver, run: &str, wish: Wish, by: &str, wait: Duration) -> Result<Heard, Stop> {
    open(driver, run).await?;
    let at_work = at_work(driver).await?;
    if at_work.is_none() && wish == Wish::Stop {
        return Ok(Heard::Idle);
    }
    let at = crate::chain::now();
    driver.signal(run, Some(&Signal { wish, by: by.to_owned(), at })).await?;
    let Some(by) = at_work else { return Ok(Heard::Idle) };
    let until = Instant::now() + wait;
    loop {
        let found = find(driver, run).await?;
        if found.held == Some(wish) || found.is_closed() {
            return Ok(Heard::Done);
        }
        if Instant::now() >= until {
            return Ok(Heard::Noted { by });
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Takes back what was asked of a run, so that it goes on.
///
/// # Errors
/// [`Stop`] if there is no such run, or the database cannot be asked.
pub async fn resume(driver: &mut dyn Driver, run: &str) -> Result<Heard, Stop> {
    open(driver, run).await?;
    if driver.signalled(run).await?.is_none() {
        return Ok(Heard::Nothing);
    }
    driver.signal(run, None).await?;
    Ok(if at_work(driver).await?.is_some() { Heard::Done } else { Heard::Idle })
}

async fn find(driver: &mut dyn Driver, run: &str) -> Result<RunSummary, Stop> {
    let found = history(driver).await?.into_iter().rev().find(|known| known.run == run);
    found.ok_or_else(|| Stop::NoSuchRun { which: run.to_owned() })
}

async fn open(driver: &mut dyn Driver, run: &str) -> Result<(), Stop> {
    if find(driver, run).await?.is_closed() { Err(Stop::Closed { run: run.to_owned() }) } else { Ok(()) }
}

/// Who executes on this database at this moment, in words.
pub(crate) async fn at_work(driver: &mut dyn Driver) -> Result<Option<String>, Stop> {
    Ok(match driver.lease(Duration::ZERO).await? {
        Lease::Held { by } => Some(by),
        Lease::Taken => {
            driver.release().await?;
            None
        }
    })
}
