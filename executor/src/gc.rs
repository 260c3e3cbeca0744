//! Drops for good what runs kept for their rollback.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mig_plan::{Plan, step::Statement};

use crate::{
    apply::{Outcome, Pace},
    chain::Chain,
    driver::{Connector, Driver},
    evidence::Filing,
    failure::Failure,
    journal::{Entry, Event},
    report::{Progress, Report},
    runner::{Halt, OWN, Runner, Task},
    runs::{RunStatus, RunSummary, kept_plan, runs},
    stop::Stop,
};

/// What is to be collected, and how.
#[derive(Clone, Debug)]
pub struct GcRequest {
    /// Runs whose last line in the journal is older than this.
    pub older_than: Duration,
    /// Where what they kept is put into files, which are read back, before it is dropped; nowhere if `None`.
    pub backup: Option<Filing>,
    /// How long to wait.
    pub pace: Pace,
}

/// Runs that [`gc`] would collect now, oldest first. Reads only.
///
/// # Errors
/// [`Stop`] if the database cannot be asked or its journal is broken.
pub async fn collectible(driver: &mut dyn Driver, older_than: Duration) -> Result<Vec<RunSummary>, Stop> {
    let entries = driver.entries().await?;
    Chain::verify(&entries).map_err(|e| Stop::JournalBroken { says: e.to_string() })?;
    let mut found = Vec::new();
    for run in due(&entries, older_than, Utc::now()) {
        // A plan that cannot be read keeps its run on the list, so that collecting it says what is wrong.
        if kept_plan(driver, &run).await?.map_or(true, |plan| !drops(&plan).is_empty()) {
            found.push(run);
        }
    }
    Ok(found)
}

/// Collects every run that is due: each in one transaction with its journal entry. Repeating it is safe at any time.
///
/// # Errors
/// [`Stop`]: what happened, what stands, what to do next.
pub async fn gc(connect: &mut dyn Connector, request: &GcRequest, report: &mut dyn Report) -> Result<Outcome, Stop> {
    if let Some(filing) = &request.backup {
        filing.prove()?;
    }
    let mut driver = connect.connect().await?;
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    let mut runner = Runner::begin(connect, driver, request.pace, report).await?;
    runner.drive(&Task::Collect(request)).await
}

/// One attempt. After a lost connection it is made anew: what was collected before is journalled.
pub(crate) async fn attempt(runner: &mut Runner<'_>, request: &GcRequest) -> Result<Outcome, Halt> {
    runner.install().await?;
    let entries = runner.read_journal().await?;
    let mut collected = Vec::new();
    for run in due(&entries, request.older_than, Utc::now()) {
        let lost = |why| Stop::PlanLost { run: run.run.clone(), plan: run.plan.clone(), why };
        let plan = kept_plan(&mut *runner.driver, &run).await?.map_err(lost)?;
        let drops = drops(&plan);
        if drops.is_empty() {
            continue;
        }
        runner.run.clone_from(&run.run);
        if let Some(filing) = &request.backup {
            save(runner, filing, (&plan, &run.title), &entries).await?;
        }
        collect(runner, &drops).await?;
        runner.filed(|evidence| evidence.finish(None))?;
        collected.push(run.run);
    }
    Ok(Outcome::Collected { runs: collected })
}

/// Puts what one run kept into files of its folder, reads them back, and journals that.
async fn save(
    runner: &mut Runner<'_>,
    filing: &Filing,
    (plan, title): (&Plan, &str),
    entries: &[Entry],
) -> Result<(), Halt> {
    runner.evidence_begun = true;
    runner.open_evidence(Some(filing), plan, title, entries)?;
    let files = runner.save_kept(plan).await?;
    runner.cross("gc/saved");
    if files.is_empty() { Ok(()) } else { runner.record(&[Event::Saved { files }], &[]).await }
}

/// Drops what one run kept, and journals it, in one transaction.
async fn collect(runner: &mut Runner<'_>, drops: &[Statement]) -> Result<(), Halt> {
    runner.cross("gc/before");
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mark = runner.chain.clone();
        match collect_once(runner, drops).await {
            Ok(()) => break,
            Err(Halt::Failure(Failure::Transient { says })) => {
                runner.abandon(mark).await?;
                if attempt >= OWN.attempts {
                    return Err(Stop::Unavailable { says }.into());
                }
                runner.report.progress(&Progress::Noted { says: format!("trying again: {says}") });
                runner.pause(attempt).await;
            }
            Err(halt) => return runner.abandoned(mark, halt).await,
        }
    }
    runner.cross("gc/after");
    Ok(())
}

async fn collect_once(runner: &mut Runner<'_>, drops: &[Statement]) -> Result<(), Halt> {
    runner.driver.begin(&OWN).await?;
    for statement in drops {
        runner.driver.execute(statement).await?;
    }
    runner.append(Event::Collected {}).await?;
    runner.commit().await
}

fn drops(plan: &Plan) -> Vec<Statement> {
    plan.steps.iter().flat_map(|step| step.gc.iter().cloned()).collect()
}

/// Runs that are done, old enough and not collected. Copies are named by the plan, so a run waits for every other standing run of its plan.
fn due(entries: &[Entry], older_than: Duration, now: DateTime<Utc>) -> Vec<RunSummary> {
    let all = runs(entries);
    let old = |run: &RunSummary| {
        let at = DateTime::parse_from_rfc3339(&run.last_at);
        run.status == RunStatus::Done
            && at.is_ok_and(|at| (now - at.to_utc()).to_std().is_ok_and(|age| age >= older_than))
    };
    let waits = |run: &RunSummary| all.iter().any(|other| other.plan == run.plan && other.stands() && !old(other));
    all.iter().filter(|run| !run.collected && old(run) && !waits(run)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use mig_plan::Fingerprint;

    use super::*;

    fn journal(events: &[(&str, &str, Event)]) -> Vec<Entry> {
        let nothing = Fingerprint::of_bytes(b"");
        let entry = |(at, (when, run, event)): (usize, &(&str, &str, Event))| Entry {
            seq: at as u64 + 1,
            at: format!("{when}T00:00:00.000Z"),
            run: (*run).to_owned(),
            event: event.clone(),
            previous: nothing.clone(),
            hash: nothing.clone(),
        };
        events.iter().enumerate().map(entry).collect()
    }

    fn begun(plan: &str) -> Event {
        Event::RunBegun {
            plan: Fingerprint::of_bytes(plan.as_bytes()),
            title: plan.to_owned(),
            approved_by: Vec::new(),
            reserved: Vec::new(),
            executor: "mig".to_owned(),
        }
    }

    fn named(events: &[(&str, &str, Event)]) -> Vec<String> {
        let now = DateTime::parse_from_rfc3339("2030-01-31T00:00:00Z").unwrap().to_utc();
        let week = Duration::from_secs(7 * 86_400);
        due(&journal(events), week, now).into_iter().map(|run| run.run).collect()
    }

    #[test]
    fn only_runs_that_are_done_old_and_not_collected_are_due() {
        let mut events = vec![
            ("2030-01-01", "old", begun("a")),
            ("2030-01-02", "old", Event::RunDone {}),
            ("2030-01-03", "open", begun("b")),
            ("2030-01-04", "back", begun("c")),
            ("2030-01-04", "back", Event::RunDone {}),
            ("2030-01-05", "back", Event::RollbackBegun {}),
            ("2030-01-06", "back", Event::RolledBack {}),
            ("2030-01-07", "young", begun("d")),
            ("2030-01-30", "young", Event::RunDone {}),
        ];
        assert_eq!(named(&events), ["old"]);
        events.push(("2030-01-10", "old", Event::Collected {}));
        assert!(named(&events).is_empty());
    }

    #[test]
    fn a_run_waits_for_a_younger_one_of_its_plan() {
        let events = [
            ("2030-01-01", "first", begun("a")),
            ("2030-01-02", "first", Event::RunDone {}),
            ("2030-01-29", "second", begun("a")),
            ("2030-01-30", "second", Event::RunDone {}),
        ];
        assert!(named(&events).is_empty());
    }
}
