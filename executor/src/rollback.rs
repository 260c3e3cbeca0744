//! Takes a run back: its steps' undos in reverse, from the journal and the plan that the database keeps.

use std::time::Duration;

use mig_plan::{Action, Fingerprint, Kind, Plan, Step, StepId};

use crate::{
    align::{Memory, Spelling},
    apply::{Outcome, Pace, arrived, standing},
    chain::Chain,
    driver::{Connector, Driver},
    evidence::Filing,
    journal::{Entry, Event},
    line::Line,
    reconcile::place,
    report::{Progress, Report},
    run::Course,
    runner::{Halt, Runner, Task},
    runs::{RunStatus, RunSummary, kept_plan, overlap, runs, to_undo},
    stop::Stop,
};

/// Which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its id.
    Run(String),
    /// The last run of a plan, by the digest of the plan's bytes.
    Plan(Fingerprint),
}

/// What is to be taken back, and how.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// Which run.
    pub which: Which,
    /// Whether to look only.
    pub dry_run: bool,
    /// How long to wait.
    pub pace: Pace,
    /// Where the evidence is filed; nowhere if `None`.
    pub filing: Option<Filing>,
}

/// Takes a run back, or goes on taking it back. Repeating it is safe at any time.
///
/// # Errors
/// [`Stop`]: what happened, what stands, what to do next.
pub async fn rollback(
    connect: &mut dyn Connector,
    request: &RollbackRequest,
    report: &mut dyn Report,
) -> Result<Outcome, Stop> {
    if let Some(filing) = request.filing.as_ref().filter(|_| !request.dry_run) {
        filing.prove()?;
    }
    let mut driver = connect.connect().await?;
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    if request.dry_run {
        let outcome = look(&mut *driver, request).await;
        let closed = driver.close().await;
        let outcome = outcome?;
        closed?;
        return Ok(outcome);
    }
    let mut runner = Runner::begin(connect, driver, request.pace, report).await?;
    runner.drive(&Task::Rollback(request)).await
}

/// What taking a run back would amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The run.
    pub run: String,
    /// Steps to take back.
    pub steps: usize,
    /// Those of them that write rows; the others change metadata only, or read.
    pub moving: usize,
    /// About how long it will take: as long as reading and writing rows took on the way there.
    pub about: Duration,
}

/// What taking a run back would amount to; `None` if it is taken back already. Reads only.
///
/// # Errors
/// [`Stop`] if there is no such run, or it cannot be taken back.
pub async fn forecast(driver: &mut dyn Driver, which: &Which) -> Result<Option<Forecast>, Stop> {
    let entries = driver.entries().await?;
    Chain::verify(&entries).map_err(|e| Stop::JournalBroken { says: e.to_string() })?;
    let run = admit(which, &entries)?;
    if run.status == RunStatus::RolledBack {
        return Ok(None);
    }
    let plan = plan_of(driver, &run).await?;
    let ahead = plan.steps[..to_undo(&plan, &run)].iter().filter(|step| !run.undone.contains(&step.id));
    let (mut steps, mut moving, mut about) = (0, 0, Duration::ZERO);
    for step in ahead {
        steps += 1;
        if !step.gc.is_empty() || matches!(step.undo.action, Action::Batches(_)) {
            moving += 1;
        }
        if let Some(there) = way_there(&plan, step) {
            about += took(&entries, &run.run, &there.id);
        }
    }
    Ok(Some(Forecast { run: run.run, steps, moving, about }))
}

/// The step whose time on the way there tells how long the way back of a step takes; none for what takes a moment.
fn way_there<'p>(plan: &'p Plan, step: &'p Step) -> Option<&'p Step> {
    let Kind::OnReturn(again) = &step.change else {
        let long = !step.gc.is_empty() || matches!(step.undo.action, Action::Batches(_));
        return long.then_some(step);
    };
    plan.steps.iter().find(|there| match (&there.change, &*again.change) {
        (Kind::Backfill(there), Kind::Backfill(again)) => there.table == again.table,
        (Kind::BuildKey(there), Kind::BuildKey(again)) => there.key == again.key,
        (Kind::ValidateConstraint(there), Kind::ValidateConstraint(again)) => {
            there.table == again.table && there.name == again.name
        }
        _ => false,
    })
}

/// How long a step of a run took, as the journal says.
fn took(entries: &[Entry], of: &str, id: &StepId) -> Duration {
    let ms = entries.iter().filter(|entry| entry.run == of).filter_map(|entry| match &entry.event {
        Event::StepDone { step, took_ms, .. } if step == id => *took_ms,
        _ => None,
    });
    Duration::from_millis(ms.max().unwrap_or_default())
}

/// The run that is meant, if it can be taken back.
fn admit(which: &Which, entries: &[Entry]) -> Result<RunSummary, Stop> {
    let all = runs(entries);
    let found = all.iter().rev().find(|run| match which {
        Which::Run(id) => run.run == *id,
        Which::Plan(digest) => run.plan == *digest,
    });
    let Some(run) = found else {
        let which = match which {
            Which::Run(id) => id.clone(),
            Which::Plan(digest) => digest.to_string(),
        };
        return Err(Stop::NoSuchRun { which });
    };
    if run.status == RunStatus::RolledBack {
        return Ok(run.clone());
    }
    if run.collected {
        return Err(Stop::Collected { run: run.run.clone() });
    }
    for later in all.iter().rev().filter(|other| other.seq > run.seq && other.stands()) {
        let objects = overlap(&later.reserved, &run.reserved);
        if !objects.is_empty() {
            return Err(Stop::LaterRun { run: later.run.clone(), title: later.title.clone(), objects });
        }
    }
    Ok(run.clone())
}

async fn plan_of(driver: &mut dyn Driver, run: &RunSummary) -> Result<Plan, Stop> {
    let lost = |why| Stop::PlanLost { run: run.run.clone(), plan: run.plan.clone(), why };
    kept_plan(driver, run).await?.map_err(lost)
}

fn broken(e: mig_plan::BadPlan) -> Stop {
    Stop::Internal { step: None, says: e.to_string() }
}

/// One attempt, from reading the journal to the end. After a lost connection it is made anew.
pub(crate) async fn attempt(runner: &mut Runner<'_>, request: &RollbackRequest) -> Result<Outcome, Halt> {
    let entries = runner.read_journal().await?;
    let mut run = admit(&request.which, &entries)?;
    if run.status == RunStatus::RolledBack {
        return Ok(Outcome::NothingToDo { run: Some(run.run) });
    }
    runner.run.clone_from(&run.run);
    runner.settle(&run).await?;
    let plan = plan_of(&mut *runner.driver, &run).await?;
    runner.evidence_begun = true;
    runner.open_evidence(request.filing.as_ref(), &plan, &run.title, &entries)?;
    runner.install().await?;
    if run.status != RunStatus::RollingBack {
        run = turn_round(runner, &plan, run).await?;
    }
    runner.record(&[Event::SessionBegun { session: runner.session.clone() }], &[]).await?;
    let line = Line::back(&plan, to_undo(&plan, &run)).map_err(broken)?;
    let live = runner.observe(&line.reserved).await?;
    let told = run.told(&line);
    let position = place(&line, &live, runner.spelling(), told);
    let (at, half) = standing(&position, line.len())?;
    let of = line.len();
    // What takes a run back is the cure: nothing slows it down.
    runner.watch(None).await?;
    runner.report.progress(&Progress::RollbackBegan { run: run.run.clone(), done: at, of });
    runner.catch_up(&line, told.done.min(at)..at).await?;
    if half {
        runner.repair(&line.legs[at]).await?;
    }
    // What was found done is not this run's work, and where shapes cannot tell there is nothing of it to take back.
    let done = run.undone.union(&run.found).cloned().collect();
    let course = Course { done, cursors: run.cursors };
    runner.walk(&line, at, line.len(), &course).await?;
    arrived(runner, &line).await?;
    runner.record(&[Event::RolledBack {}], &[]).await?;
    Ok(Outcome::RolledBack { run: run.run, here: line.len() - at })
}

/// Ends the way forth: finds where it stands, brings the journal up to that, and begins the way back.
async fn turn_round(runner: &mut Runner<'_>, plan: &Plan, run: RunSummary) -> Result<RunSummary, Halt> {
    let line = Line::forth(plan).map_err(broken)?;
    let told = run.told(&line);
    let live = runner.observe(&line.reserved).await?;
    let (mut at, half) = standing(&place(&line, &live, runner.spelling(), told), line.len())?;
    if half {
        // A half-built thing is gone after its repair, and so is a half-dropped one: the step is undone, or it is done.
        runner.repair(&line.legs[at]).await?;
        let live = runner.observe(&line.reserved).await?;
        (at, _) = standing(&place(&line, &live, runner.spelling(), told), line.len())?;
    }
    runner.catch_up(&line, told.done.min(at)..at).await?;
    runner.record(&[Event::RollbackBegun {}], &[]).await?;
    let entries = runner.read_journal().await?;
    Ok(admit(&Which::Run(run.run), &entries)?)
}

/// Looks only.
async fn look(driver: &mut dyn Driver, request: &RollbackRequest) -> Result<Outcome, Stop> {
    let entries = driver.entries().await?;
    Chain::verify(&entries).map_err(|e| Stop::JournalBroken { says: e.to_string() })?;
    let run = admit(&request.which, &entries)?;
    if run.status == RunStatus::RolledBack {
        return Ok(Outcome::NothingToDo { run: Some(run.run) });
    }
    let plan = plan_of(driver, &run).await?;
    let memory = Memory::new(driver.remembered().await?);
    let forth = Line::forth(&plan).map_err(broken)?;
    let live = driver.observe(&forth.reserved).await?;
    let spelling = Spelling { dialect: driver.dialect(), memory: &memory };
    let (line, position, at) = if run.status == RunStatus::RollingBack {
        let line = Line::back(&plan, to_undo(&plan, &run)).map_err(broken)?;
        let position = place(&line, &live, spelling, run.told(&line));
        let (at, _) = standing(&position, line.len())?;
        (line, position, at)
    } else {
        let position = place(&forth, &live, spelling, run.told(&forth));
        let (at, _) = standing(&position, forth.len())?;
        let undo = at.max(to_undo(&plan, &run));
        (Line::back(&plan, undo).map_err(broken)?, position, 0)
    };
    let would = line.legs[at..].iter().map(|leg| leg.id.clone()).collect();
    Ok(Outcome::DryRun { position, would, trials: Vec::new(), allowed: Vec::new() })
}
