//! The calls into the executor: what it is asked, how its answers read, and what its stops mean for the command.

mod outcome;
mod standing;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use mig_compiler::SpecFile;
use mig_executor::{
    Connector, Driver, Failure, Filing, Forecast, GcRequest, Heard, Lookout, MonitorPolicy, Outcome as Ended, Pace,
    Rejected, Request, RollbackRequest, Stop, Which, Wish,
    doctor::Symptom,
    evidence::{Header, Trailer},
    sign::Approval,
};
use mig_plan::{Address, Phase, Qualified};
use serde_json::json;

pub(crate) use self::standing::{history, status};
use self::{
    outcome::{counted, object, words},
    standing::run_words,
};
use crate::{
    crash::Crash,
    exit::{Outcome, Reason, Trouble},
    junit,
    plan_file::PlanFile,
    target::Database,
    terminal,
    watch::Watch,
    who, wiring,
};

/// A plan to be applied, admitted already.
pub(crate) struct Order {
    /// The plan.
    pub(crate) file: PlanFile,
    /// Its file's name.
    pub(crate) title: String,
    /// The signature files beside it.
    pub(crate) signatures: Vec<(String, Vec<u8>)>,
    /// Who admitted it.
    pub(crate) approval: Approval,
    /// Where to stop.
    pub(crate) through: Option<Phase>,
    /// Whether to look only.
    pub(crate) dry_run: bool,
    /// Whether a plan that was taken back may be applied once more.
    pub(crate) again: bool,
    /// When the run hurts too much.
    pub(crate) monitor: MonitorPolicy,
    /// How many tables are filled at the same time.
    pub(crate) parallel: NonZeroUsize,
    /// How long to wait for another executor.
    pub(crate) wait: Duration,
    /// Whether to print events as JSON.
    pub(crate) json: bool,
    /// Where to write the outcome of the checks as a JUnit report.
    pub(crate) junit: Option<PathBuf>,
    /// Where the evidence is filed.
    pub(crate) filing: Option<Filing>,
}

/// A run to be taken back.
pub(crate) struct Back {
    /// Which.
    pub(crate) which: Which,
    /// How long to wait for another executor.
    pub(crate) wait: Duration,
    /// Whether to print events as JSON.
    pub(crate) json: bool,
    /// Where the evidence is filed.
    pub(crate) filing: Option<Filing>,
}

/// Opens sessions with one database.
struct Sessions<'a>(&'a Database);

#[async_trait]
impl Connector for Sessions<'_> {
    async fn connect(&mut self) -> Result<Box<dyn Driver>, Failure> {
        (self.0.engine.connect)(self.0.url.clone()).await
    }

    fn lookout(&self) -> Option<Box<dyn Lookout>> {
        self.0.engine.lookout.map(|make| make(&self.0.url))
    }
}

/// Applies a plan, or goes on with it.
pub(crate) async fn apply(database: &Database, order: Order) -> Result<Outcome, Trouble> {
    let signers = order.approval.signers.into_iter();
    let request = Request {
        plan: order.file.plan,
        bytes: order.file.bytes,
        title: order.title,
        approved_by: signers.map(|signer| (signer.principal, signer.fingerprint)).collect(),
        signatures: order.signatures,
        through: order.through,
        dry_run: order.dry_run,
        again: order.again,
        monitor: order.monitor,
        parallel: order.parallel,
        pace: Pace { lock_wait: order.wait, ..Pace::default() },
        filing: order.filing,
    };
    let mut watch = Watch::start(order.json, database.engine.lookout.is_some());
    let ended = mig_executor::apply(&mut Sessions(database), &request, &mut watch).await;
    if let Some(file) = &order.junit {
        junit::write(file, "mig apply", &junit::of_apply(&request.plan, &ended, watch.noted()))?;
    }
    watch.end();
    tell(ended, order.json, &request.title, request.filing.as_ref())
}

/// Takes a run back, or goes on taking it back.
pub(crate) async fn rollback(database: &Database, back: Back) -> Result<Outcome, Trouble> {
    let pace = Pace { lock_wait: back.wait, ..Pace::default() };
    let request = RollbackRequest { which: back.which, dry_run: false, pace, filing: back.filing };
    let mut watch = Watch::start(back.json, database.engine.lookout.is_some());
    let ended = mig_executor::rollback(&mut Sessions(database), &request, &mut watch).await;
    watch.end();
    tell(ended, back.json, "the run", request.filing.as_ref())
}

/// What taking a run back would amount to, in words; nothing if it is taken back already.
pub(crate) async fn forecast(database: &Database, which: &Which) -> Result<Option<String>, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let forecast = mig_executor::forecast(&mut *driver, which).await;
    close(driver).await?;
    Ok(forecast.map_err(|stop| trouble(&stop))?.map(|Forecast { run, steps, moving, about }| {
        let steps = counted(steps, "step");
        match moving {
            0 => format!("run {run}: {steps} to take back, metadata only"),
            _ => format!(
                "run {run}: {steps} to take back; {moving} write rows, and all reading and writing took {} ms on the way there",
                about.as_millis()
            ),
        }
    }))
}

/// The runs whose kept data is due to be dropped, a line for each.
pub(crate) async fn collectible(database: &Database, older_than: Duration) -> Result<Vec<String>, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let runs = mig_executor::collectible(&mut *driver, older_than).await.map_err(|stop| trouble(&stop))?;
    close(driver).await?;
    Ok(runs.iter().map(run_words).collect())
}

/// Drops for good what old runs kept.
pub(crate) async fn collect(database: &Database, request: &GcRequest, json: bool) -> Result<Outcome, Trouble> {
    let mut watch = Watch::start(json, database.engine.lookout.is_some());
    let ended = mig_executor::gc(&mut Sessions(database), request, &mut watch).await;
    watch.end();
    tell(ended, json, "the runs", None)
}

fn tell(ended: Result<Ended, Stop>, json: bool, title: &str, filing: Option<&Filing>) -> Result<Outcome, Trouble> {
    match ended {
        Ok(ended) => {
            let folder = filing.zip(filed(&ended)).map(|(filing, run)| filing.folder(run).display().to_string());
            if json {
                let mut object = object(&ended);
                object["evidence"] = json!(folder);
                terminal::say(&object.to_string());
            } else {
                let folder = folder.map(|folder| format!("\nevidence: {folder}")).unwrap_or_default();
                terminal::say(&format!("{}{folder}", words(&ended, title)));
            }
            Ok(Outcome::Done)
        }
        Err(stop) => {
            if json {
                let object = json!({ "event": "stopped", "exit": crate::exit::code(&Err(reason(&stop))),
                    "says": stop.to_string(), "stands": stop.stands(), "next": stop.advice() });
                terminal::say(&object.to_string());
            }
            Err(trouble(&stop))
        }
    }
}

/// The run that has evidence.
fn filed(ended: &Ended) -> Option<&str> {
    match ended {
        Ended::Done { run, .. } | Ended::Paused { run, .. } | Ended::RolledBack { run, .. } => Some(run),
        Ended::NothingToDo { .. } | Ended::DryRun { .. } | Ended::Collected { .. } => None,
    }
}

/// A stop of the executor as an error of the command.
pub(crate) fn trouble(stop: &Stop) -> Trouble {
    Trouble::new(reason(stop), stop.to_string()).untouched(stop.stands()).next(stop.advice())
}

/// What a stop means for the exit code.
fn reason(stop: &Stop) -> Reason {
    match stop {
        Stop::Drift { .. } => Reason::Drift,
        Stop::CheckFailed { .. }
        | Stop::NotVerified { .. }
        | Stop::StepFailed { .. }
        | Stop::Busy { .. }
        | Stop::Unfinished { .. }
        | Stop::TooManyRejects { .. }
        | Stop::NotRetried { .. }
        | Stop::Internal { step: Some(_), .. }
        | Stop::Strained { .. }
        | Stop::Undone { .. }
        | Stop::Evidence { begun: true, .. }
        | Stop::Asked { .. } => Reason::Failed,
        Stop::Unknown { .. } | Stop::JournalBroken { .. } => Reason::Unknown,
        Stop::Locked { .. } => Reason::Locked,
        Stop::WasRolledBack { .. } | Stop::RollingBack { .. } | Stop::Overlaps { .. } | Stop::LaterRun { .. } => {
            Reason::Policy
        }
        Stop::OtherTarget { .. }
        | Stop::ReadOnly { .. }
        | Stop::NoSuchRun { .. }
        | Stop::Collected { .. }
        | Stop::Closed { .. }
        | Stop::Monitor { .. }
        | Stop::Evidence { begun: false, .. }
        | Stop::Unsaved { .. }
        | Stop::Unrestored { .. }
        | Stop::PlanLost { .. }
        | Stop::Unavailable { .. }
        | Stop::Internal { step: None, .. } => Reason::Database,
    }
}

/// Asks a run to pause or stop, and says what became of that.
pub(crate) async fn ask(database: &Database, run: &str, wish: Wish, wait: Duration) -> Result<String, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let heard = mig_executor::control::ask(&mut *driver, run, wish, &who::am_i(), wait).await;
    close(driver).await?;
    Ok(match (wish, heard.map_err(|stop| trouble(&stop))?) {
        (Wish::Pause, Heard::Done) => format!("run {run} is paused; mig resume {run} lets it go on"),
        (Wish::Stop, Heard::Done) => {
            format!("run {run} has stopped; mig apply goes on from there, mig rollback {run} takes it back")
        }
        (_, Heard::Noted { by }) => {
            format!("run {run} is asked to {}: {by} does so when its batch or step is done", wish.word())
        }
        (Wish::Pause, _) => format!("nobody is at work on run {run}; the next mig apply waits until mig resume {run}"),
        (Wish::Stop, _) => format!("nobody is at work on run {run}: there is nothing to stop"),
    })
}

/// Lets a paused run go on.
pub(crate) async fn resume(database: &Database, run: &str) -> Result<String, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let heard = mig_executor::control::resume(&mut *driver, run).await;
    close(driver).await?;
    Ok(match heard.map_err(|stop| trouble(&stop))? {
        Heard::Nothing => format!("run {run} is not paused"),
        Heard::Idle => format!("run {run} is not paused any more; nobody is at work on it: mig apply goes on"),
        Heard::Done | Heard::Noted { .. } => format!("run {run} goes on"),
    })
}

/// Looks a database over.
pub(crate) async fn doctor(database: &Database) -> Result<Vec<Symptom>, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let found = mig_executor::doctor::doctor(&mut *driver).await;
    close(driver).await?;
    found.map_err(|stop| trouble(&stop))
}

/// Takes another spelling of an object on a person's word, once `ask` has it.
pub(crate) async fn accept(
    database: &Database,
    specs: &[SpecFile],
    at: &Address,
    ask: impl FnOnce(&str) -> Result<(), Trouble>,
) -> Result<String, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let intent = wiring::intent(specs, driver.dialect())?;
    let Some(said) = intent.goal.objects.get(at) else {
        return Err(Trouble::new(Reason::Input, format!("the specs declare no {at}")).untouched("nothing was written"));
    };
    let doubts = mig_executor::accept::doubts(&mut *driver, at, said).await.map_err(|stop| trouble(&stop))?;
    let Some(doubts) = doubts else {
        return Err(Trouble::new(Reason::Drift, format!("more than spelling differs in {at}, or it is not there"))
            .untouched("nothing was written")
            .next("mig drift shows what differs"));
    };
    if doubts.is_empty() {
        return Ok(format!("nothing to accept: {at} is what the specs say"));
    }
    let pairs = doubts.iter().map(|(said, there)| format!("  the specs say     {said}\n  the database has  {there}\n"));
    ask(&pairs.collect::<String>())?;
    mig_executor::accept::accept(&mut *driver, at, said).await.map_err(|stop| trouble(&stop))?;
    close(driver).await?;
    Ok(format!("accepted {} of {at}", counted(doubts.len(), "spelling")))
}

/// Tries the rows again that a run rejected; gives those that still do not fit.
pub(crate) async fn retry_rejects(database: &Database, run: &str, wait: Duration) -> Result<Vec<Rejected>, Trouble> {
    let pace = Pace { lock_wait: wait, ..Pace::default() };
    let mut watch = Watch::start(false, database.engine.lookout.is_some());
    let rows = mig_executor::retry(&mut Sessions(database), run, pace, &mut watch).await;
    watch.end();
    rows.map_err(|stop| trouble(&stop))
}

/// The rows that a run rejected.
pub(crate) async fn rejects(database: &Database, run: &str) -> Result<Vec<Rejected>, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let rows = mig_executor::rejects(&mut *driver, run).await.map_err(|stop| trouble(&stop))?;
    close(driver).await?;
    Ok(rows)
}

/// Reads a backup to its end: what it holds, and its last line.
pub(crate) fn check_backup(path: &Path) -> Result<(Header, Trailer), Trouble> {
    mig_executor::restore::check(path).map_err(|stop| trouble(&stop))
}

/// Puts the rows of a backup into a new table; gives its whole name and the number of rows.
pub(crate) async fn restore(
    database: &Database,
    path: &Path,
    mut into: Qualified,
) -> Result<(Qualified, u64), Trouble> {
    let mut driver = wiring::connect(database).await?;
    into.schema = into.schema.or_else(|| driver.dialect().default_schema());
    let rows = mig_executor::restore::restore(&mut *driver, path, &into, &mut Crash::from_environment()).await;
    close(driver).await?;
    Ok((into, rows.map_err(|stop| trouble(&stop))?))
}

pub(crate) async fn close(mut driver: Box<dyn Driver>) -> Result<(), Trouble> {
    driver.close().await.map_err(|failure| trouble(&failure.into()))
}
