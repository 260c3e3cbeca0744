//! Looks a database over before or after work: what stands in the way of runs, what earlier ones left, and what to do about it.

use std::time::Duration;

use serde::Serialize;

use crate::{
    chain::Chain,
    control::{Wish, at_work},
    driver::Driver,
    gc::collectible,
    runs::{RunStatus, runs},
    stop::Stop,
};

/// What runs kept is worth a word after this.
const OLD: Duration = Duration::from_secs(30 * 86_400);

/// How much a symptom matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// As it should be.
    Fine,
    /// Runs work, but something could be better.
    Advice,
    /// Runs do not work, or something is broken.
    Wrong,
}

/// Something worth knowing of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Symptom {
    /// What it is about, in a word or two.
    pub topic: String,
    /// How much it matters.
    pub weight: Weight,
    /// What was found.
    pub says: String,
    /// What to do about it.
    pub next: Option<String>,
}

impl Symptom {
    /// A symptom.
    pub fn new(topic: &str, weight: Weight, says: impl Into<String>, next: Option<&str>) -> Self {
        Self { topic: topic.to_owned(), weight, says: says.into(), next: next.map(str::to_owned) }
    }
}

/// Looks a database over. Reads only, save that it asks for the lock and gives it back.
///
/// # Errors
/// [`Stop`] if the database cannot be asked.
pub async fn doctor(driver: &mut dyn Driver) -> Result<Vec<Symptom>, Stop> {
    let mut found = Vec::new();
    match driver.writable().await? {
        Ok(()) => found.push(Symptom::new("writing", Weight::Fine, "the database can be written", None)),
        Err(says) => {
            let next = "name the primary or a writable file, or give the role what it lacks";
            found.push(Symptom::new("writing", Weight::Wrong, says, Some(next)));
        }
    }
    match at_work(driver).await? {
        None => found.push(Symptom::new("lock", Weight::Fine, "no executor is at work", None)),
        Some(by) => {
            let says = format!("an executor is at work, or its session has not ended yet: {by}");
            found.push(Symptom::new("lock", Weight::Advice, says, Some("mig status says on what")));
        }
    }
    found.extend(journal(driver).await?);
    found.extend(driver.examine().await?);
    Ok(found)
}

async fn journal(driver: &mut dyn Driver) -> Result<Vec<Symptom>, Stop> {
    let entries = driver.entries().await?;
    if entries.is_empty() {
        return Ok(vec![Symptom::new("journal", Weight::Fine, "mig has applied nothing here yet", None)]);
    }
    if let Err(broken) = Chain::verify(&entries) {
        let next = "compare mig's own tables with a backup; until then nothing is applied here";
        return Ok(vec![Symptom::new("journal", Weight::Wrong, broken.to_string(), Some(next))]);
    }
    let says = format!("the journal's {} lines follow on each other", entries.len());
    let mut found = vec![Symptom::new("journal", Weight::Fine, says, None)];
    for run in runs(&entries).into_iter().filter(|run| !run.is_closed()) {
        let (how, next) = match (run.status, run.held) {
            (RunStatus::RollingBack, _) => ("is being rolled back", format!("mig rollback {} goes on", run.run)),
            (_, Some(Wish::Pause)) => ("is paused on request", format!("mig resume {} lets it go on", run.run)),
            _ => ("is open", format!("mig apply of its plan goes on, mig rollback {} takes it back", run.run)),
        };
        let says = format!("run {} of {} {how} since {}", run.run, run.title, run.begun_at);
        found.push(Symptom::new("runs", Weight::Advice, says, Some(&next)));
    }
    let old = collectible(driver, OLD).await?;
    if !old.is_empty() {
        let says = format!("{} runs older than 30 days keep what their rollback would need", old.len());
        found.push(Symptom::new("kept data", Weight::Advice, says, Some("mig gc --older-than 30d drops it for good")));
    }
    Ok(found)
}
