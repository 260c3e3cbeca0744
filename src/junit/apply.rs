//! The checks of a plan as they were answered when it was applied, or looked at.

use mig_executor::{Outcome as Ended, Position, Progress, Stop};
use mig_plan::{Check, Plan, verify::When};

use super::{Case, Outcome};

/// Every check and probe of a plan with its answer. `noted` is what was reported on the way.
pub(crate) fn of_apply(plan: &Plan, ended: &Result<Ended, Stop>, noted: &[Progress]) -> Vec<Case> {
    let done = done(ended, noted);
    let mut cases = Vec::new();
    for check in &plan.checks {
        let behind = plan.steps.iter().position(|step| step.id == check.step).is_some_and(|at| at < done);
        let outcome = match unasked(ended) {
            Some(says) => Outcome::Skipped { says },
            None if behind => Outcome::Skipped { says: "its step is done".to_owned() },
            None => of_check(check, ended, noted),
        };
        cases.push(Case { name: format!("{}: {}", check.at, check.says), outcome });
    }
    for check in &plan.declared {
        for moment in [When::Before, When::After].into_iter().filter(|moment| check.when.includes(*moment)) {
            let name = format!("{} ({})", check.name, moment.word());
            cases.push(Case { name, outcome: declared("check", &check.name, moment, ended) });
        }
    }
    for probe in &plan.probes {
        let name = format!("{} (after)", probe.name);
        cases.push(Case { name, outcome: declared("probe", &probe.name, When::After, ended) });
    }
    cases
}

/// How many steps were done before the checks were asked.
fn done(ended: &Result<Ended, Stop>, noted: &[Progress]) -> usize {
    let began = noted.iter().find_map(|one| match one {
        Progress::RunBegan { done, .. } => Some(*done),
        _ => None,
    });
    match ended {
        Ok(Ended::DryRun { position: Position::After(done) | Position::Amid(done), .. }) => *done,
        _ => began.unwrap_or(0),
    }
}

/// Why no check was asked, if none was.
fn unasked(ended: &Result<Ended, Stop>) -> Option<String> {
    match ended {
        Ok(Ended::NothingToDo { .. } | Ended::DryRun { position: Position::AtGoal, .. }) => {
            Some("the plan is applied already".to_owned())
        }
        Ok(_) | Err(Stop::CheckFailed { .. } | Stop::NotVerified { .. }) => None,
        Err(stop) => Some(format!("the run stopped: {stop}")),
    }
}

fn of_check(check: &Check, ended: &Result<Ended, Stop>, noted: &[Progress]) -> Outcome {
    let rows = |count: Option<u64>| match count {
        Some(1) => "1 row does not".to_owned(),
        Some(count) => format!("{count} rows do not"),
        None => "it could not be asked".to_owned(),
    };
    if let Err(Stop::CheckFailed { failures, .. }) = ended {
        let found = failures.iter().find(|one| (&one.step, &one.says) == (&check.step, &check.says));
        if let Some(failure) = found {
            return Outcome::Failed { says: rows(failure.count), text: failure.samples.join("\n") };
        }
    }
    let warned = noted.iter().find_map(|one| match one {
        Progress::Warned { step, says, count, samples, .. } if (step, says) == (&check.step, &check.says) => {
            Some((*count, samples))
        }
        _ => None,
    });
    match warned {
        Some((count, samples)) => Outcome::Failed {
            says: format!("{}; the run goes on, and the step itself decides", rows(Some(count))),
            text: samples.join("\n"),
        },
        None => Outcome::Passed,
    }
}

fn declared(what: &str, name: &str, moment: When, ended: &Result<Ended, Stop>) -> Outcome {
    if let Some(says) = unasked(ended) {
        return Outcome::Skipped { says };
    }
    let unmet = match (ended, moment) {
        (Err(Stop::CheckFailed { unmet, .. }), When::Before) | (Err(Stop::NotVerified { unmet }), When::After) => unmet,
        (Ok(Ended::Done { .. }), _) | (_, When::Before | When::Both) => return Outcome::Passed,
        (_, When::After) => return Outcome::Skipped { says: "the last step is not done".to_owned() },
    };
    match unmet.iter().find(|one| (one.what, one.name.as_str()) == (what, name)) {
        Some(one) => Outcome::Failed { says: one.says.clone(), text: one.sql.clone() },
        None => Outcome::Passed,
    }
}
