//! Applies a plan: admits it to this database, finds where the database stands on it, and goes on from there.

use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};

use mig_plan::{Fingerprint, Phase, Plan, StepId, verify::When};

use crate::{
    align::{Memory, Spelling},
    chain::Chain,
    checks::{self, Allowed},
    describe::Difference,
    driver::{Connector, Driver},
    evidence::Filing,
    failure::Failure,
    journal::{Entry, Event, SavedFile},
    line::Line,
    monitor::MonitorPolicy,
    reconcile::{Position, Told, difference, place, strangers},
    report::{Progress, Report},
    run::Course,
    runner::{Halt, OWN, Runner, Task},
    runs::{KEPT_PLAN, RunStatus, RunSummary, overlap, runs},
    stop::Stop,
    trial::{self, Trial},
    verify::Answer,
};

/// What is to be applied, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The plan.
    pub plan: Plan,
    /// The bytes of its file.
    pub bytes: Vec<u8>,
    /// A name for people: the plan file's.
    pub title: String,
    /// Principals and key fingerprints that signed, as the door admitted them.
    pub approved_by: Vec<(String, String)>,
    /// Signature files by name, to be kept with the plan.
    pub signatures: Vec<(String, Vec<u8>)>,
    /// The last phase to run; all if `None`.
    pub through: Option<Phase>,
    /// Whether to look only.
    pub dry_run: bool,
    /// Whether a plan that was applied here and rolled back may be applied once more.
    pub again: bool,
    /// When the run hurts too much.
    pub monitor: MonitorPolicy,
    /// How many tables are filled at the same time, where the plan lets it be more than one.
    pub parallel: NonZeroUsize,
    /// How long to wait.
    pub pace: Pace,
    /// Where the evidence is filed; nowhere if `None`.
    pub filing: Option<Filing>,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// For the lock of another executor, and for a lost session to be gone.
    pub lock_wait: Duration,
    /// Before the second attempt of something; twice as long before each one after it.
    pub backoff: Duration,
    /// For a database that was lost to be reached again.
    pub reconnect: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let (lock_wait, reconnect) = (Duration::from_secs(10), Duration::from_secs(30));
        Self { lock_wait, backoff: Duration::from_millis(200), reconnect }
    }
}

/// How a run ended in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every step is done, and the footprint is the goal.
    Done {
        /// The run.
        run: String,
        /// Steps of the plan.
        steps: usize,
        /// Steps that this call ran or found done.
        here: usize,
    },
    /// The run stands at the end of a phase.
    Paused {
        /// The run.
        run: String,
        /// The phase that is complete.
        through: Phase,
        /// Steps that remain.
        remaining: Vec<StepId>,
    },
    /// The database is at the goal already.
    NothingToDo {
        /// The run that brought it there, if the journal knows one.
        run: Option<String>,
    },
    /// What would be done.
    DryRun {
        /// Where the database stands.
        position: Position,
        /// The steps that would run, or be taken back, in order.
        would: Vec<StepId>,
        /// What a few rows of each data step became, in a transaction that was rolled back.
        trials: Vec<Trial>,
        /// The rows that would be left as they are.
        allowed: Vec<Allowed>,
    },
    /// The run is taken back.
    RolledBack {
        /// The run.
        run: String,
        /// Steps that this call took back.
        here: usize,
    },
    /// What runs kept is dropped for good.
    Collected {
        /// The runs.
        runs: Vec<String>,
    },
}

/// Applies a plan, or goes on with it. Repeating it is safe at any time.
///
/// # Errors
/// [`Stop`]: what happened, what stands, what to do next.
pub async fn apply(connect: &mut dyn Connector, request: &Request, report: &mut dyn Report) -> Result<Outcome, Stop> {
    if Fingerprint::of_bytes(&request.bytes) != request.plan.digest() {
        let says = "the plan is not what its bytes say".to_owned();
        return Err(Stop::Internal { step: None, says });
    }
    if let Some(filing) = request.filing.as_ref().filter(|_| !request.dry_run) {
        filing.prove()?;
    }
    let mut driver = connect.connect().await?;
    fits_target(&request.plan, &*driver)?;
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    if request.dry_run {
        let outcome = dry_run(&mut *driver, request, report).await;
        let closed = driver.close().await;
        let outcome = outcome?;
        closed?;
        return Ok(outcome);
    }
    let mut runner = Runner::begin(connect, driver, request.pace, report).await?;
    runner.parallel = request.parallel;
    runner.drive(&Task::Apply(request)).await
}

fn fits_target(plan: &Plan, driver: &dyn Driver) -> Result<(), Stop> {
    let dialect = driver.dialect();
    let (planned, found) = (&plan.target, (dialect.engine(), dialect.version()));
    if (planned.engine.as_str(), planned.version.as_str()) == found {
        return Ok(());
    }
    let planned = format!("{} {}", planned.engine, planned.version);
    Err(Stop::OtherTarget { planned, found: format!("{} {}", found.0, found.1) })
}

/// The run to go on with, or none if one is to be begun.
struct Admission {
    open: Option<RunSummary>,
    /// The completed run of the same plan, which says what was done when shapes cannot.
    completed: Option<RunSummary>,
}

fn admit(request: &Request, entries: &[Entry]) -> Result<Admission, Stop> {
    let digest = Fingerprint::of_bytes(&request.bytes);
    let reserved = request.plan.reserved();
    let mut admission = Admission { open: None, completed: None };
    let mut last = None;
    for run in runs(entries) {
        let same = run.plan == digest;
        match run.status {
            RunStatus::Open if same => admission.open = Some(run.clone()),
            RunStatus::RollingBack if same => return Err(Stop::RollingBack { run: run.run }),
            RunStatus::Open | RunStatus::RollingBack => {
                let objects = overlap(&run.reserved, &reserved);
                if !objects.is_empty() {
                    return Err(Stop::Overlaps { run: run.run, title: run.title, objects });
                }
            }
            RunStatus::Done | RunStatus::RolledBack => {}
        }
        if same {
            last = Some(run);
        }
    }
    if admission.open.is_none() {
        match last {
            Some(run) if run.status == RunStatus::RolledBack && !request.again => {
                return Err(Stop::WasRolledBack { run: run.run });
            }
            Some(run) if run.status == RunStatus::Done => admission.completed = Some(run),
            _ => {}
        }
    }
    Ok(admission)
}

impl Admission {
    fn told(&self, line: &Line<'_>) -> Told {
        self.open.as_ref().or(self.completed.as_ref()).map(|run| run.told(line)).unwrap_or_default()
    }
}

fn line(plan: &Plan) -> Result<Line<'_>, Stop> {
    Line::forth(plan).map_err(|e| Stop::Internal { step: None, says: e.to_string() })
}

/// The number of legs done at a position, and the leg that is half done.
pub(crate) fn standing(position: &Position, len: usize) -> Result<(usize, bool), Stop> {
    match position {
        Position::AtBase => Ok((0, false)),
        Position::After(at) => Ok((*at, false)),
        Position::Amid(at) => Ok((*at, true)),
        Position::AtGoal => Ok((len, false)),
        Position::Drifted(difference) => Err(Stop::Drift { difference: difference.clone(), step: None }),
    }
}

/// The first leg after a phase.
fn end_of(line: &Line<'_>, through: Option<Phase>) -> usize {
    let beyond = |phase: Phase| line.legs.iter().position(|leg| leg.phase > phase);
    through.and_then(beyond).unwrap_or(line.len())
}

/// One attempt, from reading the journal to the end. After a lost connection it is made anew.
pub(crate) async fn attempt(runner: &mut Runner<'_>, request: &Request) -> Result<Outcome, Halt> {
    let line = line(&request.plan)?;
    let entries = runner.read_journal().await?;
    let admission = admit(request, &entries)?;
    if let Some(run) = &admission.open {
        runner.settle(run).await?;
    }
    let told = admission.told(&line);
    let live = runner.observe(&line.reserved).await?;
    let position = place(&line, &live, runner.spelling(), told);
    let (at, half) = standing(&position, line.len())?;
    if at == line.len() && admission.open.is_none() {
        return Ok(Outcome::NothingToDo { run: admission.completed.map(|run| run.run) });
    }
    let mut before = Vec::new();
    let run = match admission.open {
        Some(run) => {
            runner.run.clone_from(&run.run);
            before.clone_from(&run.before);
            runner.evidence_begun = true;
            runner.open_evidence(request.filing.as_ref(), &request.plan, &request.title, &entries)?;
            runner.install().await?;
            let end = end_of(&line, request.through);
            if let Some(through) = request.through.filter(|through| run.paused == Some(*through))
                && at == end
                && told.done == end
            {
                return Ok(paused(&line, &run.run, through, end));
            }
            runner.record(&[Event::SessionBegun { session: runner.session.clone() }], &[]).await?;
            Some(run)
        }
        None => {
            unknown_dependents(&mut *runner.driver, &request.plan, at).await?;
            let asked = checks::ask(&mut *runner.driver, &request.plan, at, runner.report).await?;
            before.clone_from(&asked.answers);
            runner.run = run_id(request, &entries);
            runner.open_evidence(request.filing.as_ref(), &request.plan, &request.title, &[])?;
            runner.filed(|evidence| evidence.prechecks(&asked.found))?;
            runner.filed(|evidence| evidence.asked_before(&asked.answers))?;
            runner.extract(When::Before).await?;
            let saved = runner.back_up(&request.plan.backups).await?;
            runner.install().await?;
            begin(runner, request, (&before, &saved)).await?;
            runner.evidence_begun = true;
            None
        }
    };
    go(runner, request, &line, (at, half), run, &before).await
}

/// Runs the legs that remain.
async fn go(
    runner: &mut Runner<'_>,
    request: &Request,
    line: &Line<'_>,
    (at, half): (usize, bool),
    run: Option<RunSummary>,
    before: &[Answer],
) -> Result<Outcome, Halt> {
    let told = run.as_ref().map(|run| run.told(line)).unwrap_or_default();
    let (done, cursors) = run.map(|run| (run.done, run.cursors)).unwrap_or_default();
    let course = Course { done, cursors };
    let name = runner.run.clone();
    runner.watch(Some(&request.monitor)).await?;
    runner.report.progress(&Progress::RunBegan { run: name.clone(), done: at, of: line.len() });
    runner.catch_up(line, told.done.min(at)..at).await?;
    if half {
        runner.repair(&line.legs[at]).await?;
    }
    let end = end_of(line, request.through).max(at);
    runner.walk(line, at, end, &course).await?;
    if let Some(through) = request.through.filter(|_| end < line.len()) {
        runner.record(&[Event::Paused { through }], &[]).await?;
        return Ok(paused(line, &name, through, end));
    }
    arrived(runner, line).await?;
    runner.extract(When::After).await?;
    runner.verify(&request.plan, before).await?;
    runner.record(&[Event::RunDone {}], &[]).await?;
    Ok(Outcome::Done { run: name, steps: line.len(), here: line.len() - at })
}

/// Proves that the footprint is at the end of the line.
pub(crate) async fn arrived(runner: &mut Runner<'_>, line: &Line<'_>) -> Result<(), Halt> {
    let live = runner.observe(&line.reserved).await?;
    let difference = difference(line, line.len(), &live, &line.reserved, runner.spelling());
    let step = line.legs.last().map(|leg| leg.id.clone());
    if difference.objects.is_empty() { Ok(()) } else { Err(Stop::Drift { difference, step }.into()) }
}

fn paused(line: &Line<'_>, run: &str, through: Phase, end: usize) -> Outcome {
    let remaining = line.legs[end..].iter().map(|leg| leg.id.clone()).collect();
    Outcome::Paused { run: run.to_owned(), through, remaining }
}

/// Before the first step nothing may depend on the footprint that the plan does not know.
async fn unknown_dependents(driver: &mut dyn Driver, plan: &Plan, at: usize) -> Result<(), Halt> {
    if at > 0 {
        return Ok(());
    }
    let difference: Difference = strangers(plan, &driver.pull().await?);
    if difference.objects.is_empty() { Ok(()) } else { Err(Stop::Drift { difference, step: None }.into()) }
}

/// Begins a run: keeps its documents and journals its admission, in one transaction.
async fn begin(runner: &mut Runner<'_>, request: &Request, found: (&[Answer], &[SavedFile])) -> Result<(), Halt> {
    runner.cross("run/begin");
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mark = runner.chain.clone();
        match begin_once(runner, request, found).await {
            Ok(()) => break,
            Err(halt) => match runner.abandoned(mark, halt).await {
                Err(Halt::Failure(Failure::Transient { .. })) if attempt < OWN.attempts => runner.pause(attempt).await,
                other => return other,
            },
        }
    }
    runner.cross("run/after-commit");
    Ok(())
}

async fn begin_once(
    runner: &mut Runner<'_>,
    request: &Request,
    (answers, saved): (&[Answer], &[SavedFile]),
) -> Result<(), Halt> {
    let plan = Fingerprint::of_bytes(&request.bytes);
    runner.driver.begin(&OWN).await?;
    runner.driver.keep(plan.as_str(), KEPT_PLAN, &request.bytes).await?;
    for (name, bytes) in &request.signatures {
        runner.driver.keep(plan.as_str(), name, bytes).await?;
    }
    runner
        .append(Event::RunBegun {
            plan,
            title: request.title.clone(),
            approved_by: request.approved_by.clone(),
            reserved: request.plan.reserved().into_iter().collect(),
            executor: concat!("mig ", env!("CARGO_PKG_VERSION")).to_owned(),
        })
        .await?;
    if !answers.is_empty() {
        runner.append(Event::Asked { moment: When::Before, answers: answers.to_vec() }).await?;
    }
    if !saved.is_empty() {
        runner.append(Event::Saved { files: saved.to_vec() }).await?;
    }
    runner.append(Event::SessionBegun { session: runner.session.clone() }).await?;
    runner.cross("run/before-commit");
    runner.commit().await
}

/// A new run's id: when it began and which plan, so that people can tell runs apart and sort them.
fn run_id(request: &Request, entries: &[Entry]) -> String {
    let taken: BTreeSet<&str> = entries.iter().map(|entry| entry.run.as_str()).collect();
    let when = chrono::Utc::now().format("%Y%m%d-%H%M%S");
    let plain = format!("{when}-{}", Fingerprint::of_bytes(&request.bytes).short(6));
    let numbered = (2..).map(|n| format!("{plain}-{n}"));
    std::iter::once(plain.clone()).chain(numbered).find(|id| !taken.contains(id.as_str())).unwrap_or(plain)
}

/// Looks only: everything up to the first write.
async fn dry_run(driver: &mut dyn Driver, request: &Request, report: &mut dyn Report) -> Result<Outcome, Stop> {
    look(driver, request, report).await.map_err(|halt| match halt {
        Halt::Stop(stop) => *stop,
        Halt::Failure(failure) => failure.into(),
    })
}

async fn look(driver: &mut dyn Driver, request: &Request, report: &mut dyn Report) -> Result<Outcome, Halt> {
    let line = line(&request.plan)?;
    let entries = driver.entries().await?;
    Chain::verify(&entries).map_err(|e| Stop::JournalBroken { says: e.to_string() })?;
    let admission = admit(request, &entries)?;
    let memory = Memory::new(driver.remembered().await?);
    let live = driver.observe(&line.reserved).await?;
    let spelling = Spelling { dialect: driver.dialect(), memory: &memory };
    let position = place(&line, &live, spelling, admission.told(&line));
    let (at, _) = standing(&position, line.len())?;
    if at == line.len() && admission.open.is_none() {
        return Ok(Outcome::NothingToDo { run: admission.completed.map(|run| run.run) });
    }
    let mut allowed = Vec::new();
    if admission.open.is_none() {
        unknown_dependents(driver, &request.plan, at).await?;
        let asked = checks::ask(driver, &request.plan, at, report).await?;
        allowed = checks::allowed(driver, &asked.found).await?;
    }
    let end = end_of(&line, request.through).max(at);
    let trials = trial::tried(driver, &line, (at, end)).await?;
    let would = line.legs[at..end].iter().map(|leg| leg.id.clone()).collect();
    Ok(Outcome::DryRun { position, would, trials, allowed })
}
