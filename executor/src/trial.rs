//! Tries transforms without leaving a trace: one transaction makes what the backfills need, runs the first rows of each, shows them before
//! and after, and is always rolled back.

use mig_plan::{Action, Limits, Phase, Plan, Step, StepId, step::Batches};
use serde::Serialize;

use crate::{
    batches::{End, end},
    checks::left,
    driver::{Driver, Rows},
    failure::Failure,
    line::{Line, Remaining},
    report::{Progress, Report},
    runner::Halt,
    stop::CheckFailure,
};

/// Clients are not held up for a look.
const LIMITS: Limits = Limits { lock_ms: 500, statement_ms: 10_000, attempts: 1 };
/// Nor for long, for what comes before the first write.
const BRIEF: Limits = Limits { lock_ms: 200, ..LIMITS };
/// How many rows of a table are transformed.
const SAMPLE: u32 = 100;
/// How many rows of the trial's own query are shown at most.
const SHOWN: usize = 5;

/// What became of one backfill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// The step.
    pub step: String,
    /// About how many rows it will change; `None` if that could not be counted in time.
    pub rows: Option<u64>,
    /// How many rows were changed and taken back.
    pub tried: u64,
    /// The columns of the rows shown.
    pub columns: Vec<String>,
    /// The first rows by key, before.
    pub before: Vec<Vec<Option<String>>>,
    /// The same after.
    pub after: Vec<Vec<Option<String>>>,
    /// Why it could not be tried.
    pub says: Option<String>,
}

/// The first rows of an answer.
#[derive(Default)]
struct First {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

impl Rows for First {
    fn columns(&mut self, names: Vec<String>) {
        self.columns = names;
    }

    fn row(&mut self, values: Vec<Option<String>>) {
        if self.rows.len() < SHOWN {
            self.rows.push(values);
        }
    }
}

/// Tries the steps whose statements a plan wants to be tried before the first write, in order. Gives the first that the database refuses, or
/// that does not do what it is for; nothing of it stands.
pub(crate) async fn rehearsed(
    driver: &mut dyn Driver,
    plan: &Plan,
    report: &mut dyn Report,
) -> Result<Option<CheckFailure>, Halt> {
    let mut steps = plan.steps.iter().filter(|step| step.tried).peekable();
    if steps.peek().is_none() {
        return Ok(None);
    }
    driver.begin(&BRIEF).await?;
    let mut refused = Ok(None);
    for step in steps {
        refused = rehearse(driver, step).await;
        if !matches!(refused, Ok(None)) {
            break;
        }
    }
    driver.rollback().await?;
    match refused {
        Err(Halt::Failure(Failure::Transient { says })) => {
            let says = format!("declared rows were not tried before the first write: {says}");
            report.progress(&Progress::Noted { says });
            Ok(None)
        }
        refused => refused,
    }
}

/// Tries one step in the open transaction.
async fn rehearse(driver: &mut dyn Driver, step: &Step) -> Result<Option<CheckFailure>, Halt> {
    let Action::Transaction(part) = &step.action else { return Ok(None) };
    let failure = |samples| {
        let help =
            vec!["a trigger, a rule or a privilege may be in the way: change it in a plan before this one".to_owned()];
        let (step, at, says) = (step.id.clone(), step.change.address(), format!("a step that {}", step.why));
        Some(CheckFailure { step, at, says, count: None, tried: true, samples, help })
    };
    for statement in part.lock.iter().chain(&part.sql) {
        match driver.execute(statement).await {
            Err(Failure::Refused { says, .. }) => return Ok(failure(vec![says])),
            done => drop(done?),
        }
    }
    for query in &part.none {
        let left = driver.ask(query, SHOWN).await?;
        if !left.is_empty() {
            let words = |row: &Vec<Option<String>>| {
                let values: Vec<_> = row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
                format!("still there afterwards: {}", values.join(", "))
            };
            return Ok(failure(left.iter().map(words).collect()));
        }
    }
    Ok(None)
}

/// Tries every backfill among the legs from `at` up to `end`. Nothing of it stands.
pub(crate) async fn tried(
    driver: &mut dyn Driver,
    line: &Line<'_>,
    (at, end): (usize, usize),
) -> Result<Vec<Trial>, Halt> {
    // What a later phase sets right is nothing yet, and the way there would take locks that clients notice.
    let early = |nth: &usize| line.legs[*nth].phase < Phase::Contract;
    let fills = (at..end).filter(early).filter(|nth| matches!(line.legs[*nth].action, Action::Batches(_)));
    let fills: Vec<usize> = fills.collect();
    let Some(last) = fills.last() else { return Ok(Vec::new()) };
    let mut trials: Vec<Trial> = fills.iter().map(|nth| unknown(line.legs[*nth].id)).collect();
    if !driver.undoes_ddl() {
        let says = "this engine commits changes of the schema at once, so nothing can be tried and taken back";
        trials.iter_mut().for_each(|trial| trial.says = Some(says.to_owned()));
        return Ok(trials);
    }
    let done = within(driver, line, (at, *last + 1), &mut trials).await;
    driver.rollback().await?;
    match done {
        Err(Halt::Failure(Failure::Refused { says, .. } | Failure::Transient { says })) => {
            let left =
                trials.iter_mut().filter(|trial| trial.says.is_none() && trial.columns.is_empty() && trial.tried == 0);
            left.for_each(|trial| trial.says = Some(says.clone()));
            Ok(trials)
        }
        Err(halt) => Err(halt),
        Ok(()) => Ok(trials),
    }
}

fn unknown(step: &StepId) -> Trial {
    Trial { step: step.0.clone(), ..Trial::default() }
}

/// Walks in the open transaction, as far as the last backfill.
async fn within(
    driver: &mut dyn Driver,
    line: &Line<'_>,
    (at, end): (usize, usize),
    trials: &mut [Trial],
) -> Result<(), Halt> {
    driver.begin(&LIMITS).await?;
    driver.install().await?;
    let mut trials = trials.iter_mut();
    for nth in at..end {
        let leg = &line.legs[nth];
        match leg.action {
            Action::Transaction(part) if part.prepare.is_empty() => {
                for statement in part.lock.iter().chain(&part.sql) {
                    driver.execute(statement).await.map_err(|failure| of_step(leg.id, failure))?;
                }
            }
            // What cannot be part of a transaction changes no row that a backfill reads: an index, a validation.
            Action::Transaction(_) | Action::Statement(_) | Action::Nothing {} => {}
            Action::Batches(batches) => {
                let Some(trial) = trials.next() else { break };
                one(driver, batches, leg.remaining, trial).await.map_err(|halt| match halt {
                    Halt::Failure(failure) => of_step(leg.id, failure).into(),
                    stop => stop,
                })?;
            }
        }
    }
    Ok(())
}

async fn one(
    driver: &mut dyn Driver,
    batches: &Batches,
    remaining: Option<Remaining<'_>>,
    trial: &mut Trial,
) -> Result<(), Halt> {
    for statement in &batches.prepare {
        driver.execute(statement).await?;
    }
    if let Some(query) = remaining {
        trial.rows = Some(left(driver, query).await?);
    }
    let mut first = First::default();
    if let Some(query) = &batches.sample {
        driver.stream(query, &mut first).await?;
    }
    trial.before = first.rows;
    for statement in &batches.before {
        driver.execute(statement).await?;
    }
    if let Some(End { key }) = end(driver, batches).await? {
        trial.tried = driver.batch(batches, None, key.as_deref(), SAMPLE).await?.map_or(0, |done| done.rows);
    }
    let mut first = First::default();
    if let Some(query) = &batches.sample {
        driver.stream(query, &mut first).await?;
    }
    (trial.columns, trial.after) = (first.columns, first.rows);
    Ok(())
}

fn of_step(step: &StepId, failure: Failure) -> Failure {
    match failure {
        Failure::Refused { says, code } => Failure::Refused { says: format!("{step}: {says}"), code },
        Failure::Transient { says } => Failure::Transient { says: format!("{step}: {says}") },
        other => other,
    }
}
