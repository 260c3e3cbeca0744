//! Questions about the data, asked before the first write: all of them, and all that fail are told at once.

use mig_plan::{Check, CheckSql, Plan, StepId, step::Statement, verify::When};
use serde::Serialize;

use crate::{
    failure::Failure,
    line::Remaining,
    report::Progress,
    runner::Halt,
    stop::{CheckFailure, Stop},
    trial,
    verify::{self, Answer},
};

/// How many wrong rows are shown.
const SAMPLES: usize = 5;

/// What was asked before the first write.
pub(crate) struct Before {
    /// What the declared checks answered.
    pub(crate) answers: Vec<Answer>,
    /// How many rows the checks of steps found.
    pub(crate) found: Vec<(Check, u64)>,
}

/// Rows that a plan leaves as they are, and may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// By which step.
    pub step: StepId,
    /// Up to how many there may be, in a sentence.
    pub says: String,
    /// How many there are.
    pub count: u64,
    /// A few of them: key and reason.
    pub samples: Vec<String>,
}

/// Shows what the checks of steps found and let pass.
pub(crate) async fn allowed(driver: &mut dyn crate::Driver, found: &[(Check, u64)]) -> Result<Vec<Allowed>, Halt> {
    let mut out = Vec::new();
    for (check, count) in found.iter().filter(|(check, count)| check.stops && *count > 0 && *count <= check.at_most) {
        let samples = match &check.sample {
            Some(sql) => rows(driver, sql, SAMPLES).await?,
            None => Vec::new(),
        };
        out.push(Allowed { step: check.step.clone(), says: check.says.clone(), count: *count, samples });
    }
    Ok(out)
}

/// Asks every check of the steps from `from` on, and what the specs say must hold before.
pub(crate) async fn ask(
    driver: &mut dyn crate::Driver,
    plan: &Plan,
    from: usize,
    report: &mut dyn crate::Report,
) -> Result<Before, Halt> {
    let (mut failures, mut found) = (Vec::new(), Vec::new());
    let ahead =
        |check: &&Check| (from == 0 || !check.first) && plan.steps[from..].iter().any(|step| step.id == check.step);
    for check in plan.checks.iter().filter(ahead) {
        let count = match count(driver, check).await {
            Ok(count) => count,
            Err(Halt::Failure(Failure::Refused { says, .. } | Failure::Transient { says })) => {
                // An advising question that only makes sense before some step may have no answer after it.
                if check.stops {
                    failures.push(failure(check, None, vec![says]));
                } else {
                    report.progress(&Progress::Noted {
                        says: format!("a check of {} cannot be asked: {says}", check.at),
                    });
                }
                continue;
            }
            Err(halt) => return Err(halt),
        };
        found.push((check.clone(), count));
        if count <= check.at_most {
            continue;
        }
        let samples = match &check.sample {
            Some(sql) => rows(driver, sql, SAMPLES).await?,
            None => Vec::new(),
        };
        if check.stops {
            failures.push(failure(check, Some(count), samples));
        } else {
            let (step, at, says) = (check.step.clone(), check.at.clone(), check.says.clone());
            report.progress(&Progress::Warned { step, at, says, count, samples });
        }
    }
    let (answers, unmet) = verify::ask(driver, plan, When::Before, &[]).await?;
    if from == 0 && failures.is_empty() && unmet.is_empty() {
        failures.extend(trial::rehearsed(driver, plan, report).await?);
    }
    if failures.is_empty() && unmet.is_empty() {
        Ok(Before { answers, found })
    } else {
        Err(Stop::CheckFailed { failures, unmet }.into())
    }
}

fn failure(check: &Check, count: Option<u64>, samples: Vec<String>) -> CheckFailure {
    let (step, at, says, help) = (check.step.clone(), check.at.clone(), check.says.clone(), check.help.clone());
    CheckFailure { step, at, says, count, tried: false, samples, help }
}

async fn count(driver: &mut dyn crate::Driver, check: &Check) -> Result<u64, Halt> {
    counted(driver, &Statement::new(check.count.sql())).await
}

/// What a data step has left to do.
pub(crate) async fn left(driver: &mut dyn crate::Driver, remaining: Remaining<'_>) -> Result<u64, Halt> {
    if let Some(until) = remaining.until
        && counted(driver, &until.there).await? == 0
    {
        return counted(driver, &until.sql).await;
    }
    counted(driver, remaining.sql).await
}

/// The answer to a query that gives one row with one integer.
pub(crate) async fn counted(driver: &mut dyn crate::Driver, query: &Statement) -> Result<u64, Halt> {
    let rows = driver.ask(query, 1).await?;
    let answer = rows.first().and_then(|row| row.first()).and_then(Option::as_deref);
    match answer.and_then(|n| n.parse().ok()) {
        Some(count) => Ok(count),
        None => {
            let says = format!("a counting query answered {answer:?}, not one integer: {}", query.sql());
            Err(Failure::broken(says).into())
        }
    }
}

async fn rows(driver: &mut dyn crate::Driver, sql: &CheckSql, most: usize) -> Result<Vec<String>, Halt> {
    let rows = driver.ask(&Statement::new(sql.sql()), most).await?;
    let words = |row: &Vec<Option<String>>| {
        row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(", ")
    };
    Ok(rows.iter().map(words).collect())
}
