//! What the executor did, in words and as JSON.

use mig_executor::{Allowed, Outcome as Ended, Position, trial::Trial};
use mig_plan::StepId;
use serde_json::json;

/// What became of a command, for people.
pub(super) fn words(ended: &Ended, title: &str) -> String {
    match ended {
        Ended::Done { run, steps, here } if here == steps => {
            format!("applied {title}: {}, run {run}", counted(*steps, "step"))
        }
        Ended::Done { run, steps, here } => {
            format!("applied {title}: {}, {here} of them now, run {run}", counted(*steps, "step"))
        }
        Ended::Paused { run, through, remaining } => format!(
            "applied {title} through {through}: {} left, run {run}\n\
             the same command without --through goes on; mig rollback {run} takes it back",
            counted(remaining.len(), "step")
        ),
        Ended::NothingToDo { run } => {
            let by = run.as_ref().map(|run| format!(" by run {run}")).unwrap_or_default();
            format!("nothing to do: {title} is applied{by}")
        }
        Ended::DryRun { position, would, trials, allowed } => {
            let tried: String = trials.iter().map(trial_words).chain(allowed.iter().map(allowed_words)).collect();
            format!("dry run, nothing was written: {}{}{tried}", position_words(position), list("would do", would))
        }
        Ended::RolledBack { run, here } => format!("rolled back run {run}: {} taken back", counted(*here, "step")),
        Ended::Collected { runs } => {
            let lines: String = runs.iter().map(|run| format!("\n  {run}")).collect();
            format!("dropped for good what {} kept{lines}", counted(runs.len(), "run"))
        }
    }
}

fn list(what: &str, steps: &[StepId]) -> String {
    let lines: String = steps.iter().map(|step| format!("\n  {step}")).collect();
    format!("\n{what} {}:{lines}", counted(steps.len(), "step"))
}

/// What became of a few rows, side by side.
fn trial_words(trial: &Trial) -> String {
    let rows = trial.rows.map(|rows| format!(": about {rows} rows")).unwrap_or_default();
    let mut text = format!("\ntransform {}{rows}", trial.step);
    if let Some(says) = &trial.says {
        return text + &format!("\n  not tried: {}", says.replace('\n', "\n  "));
    }
    text.push_str(&format!("; {} tried and taken back", counted_u64(trial.tried, "row")));
    let row = |row: &Vec<Option<String>>| {
        let values = row.iter().map(|value| value.as_deref().unwrap_or("NULL").chars().take(60).collect::<String>());
        values.collect::<Vec<_>>().join(", ")
    };
    if !trial.after.is_empty() {
        text.push_str(&format!("\n    ({})", trial.columns.join(", ")));
    }
    for (before, after) in trial.before.iter().zip(&trial.after) {
        text.push_str(&format!("\n  - {}\n  + {}", row(before), row(after)));
    }
    text
}

/// The rows that a step would leave as they are.
fn allowed_words(allowed: &Allowed) -> String {
    let samples: String = allowed.samples.iter().map(|sample| format!("\n    {sample}")).collect();
    let rows = counted_u64(allowed.count, "row");
    format!("\nrejects {}: {rows}, as {}{samples}", allowed.step, allowed.says)
}

fn counted_u64(count: u64, thing: &str) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), thing)
}

/// A number of things.
pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Where a database stands in a plan.
pub(super) fn position_words(position: &Position) -> String {
    match position {
        Position::AtBase => "the database is where the plan begins".to_owned(),
        Position::After(done) => format!("the database is {} into the plan", counted(*done, "step")),
        Position::Amid(done) => {
            format!("the database is {} into the plan, and one is half done", counted(*done, "step"))
        }
        Position::AtGoal => "the database is where the plan ends".to_owned(),
        Position::Drifted(difference) => format!("the database is not where the plan says\n{difference}"),
    }
}

/// The same for machines.
pub(super) fn object(ended: &Ended) -> serde_json::Value {
    match ended {
        Ended::Done { run, steps, here } => json!({ "event": "done", "run": run, "steps": steps, "here": here }),
        Ended::Paused { run, through, remaining } => {
            json!({ "event": "paused", "run": run, "through": through, "remaining": remaining })
        }
        Ended::NothingToDo { run } => json!({ "event": "nothing-to-do", "run": run }),
        Ended::DryRun { position, would, trials, allowed } => {
            let position = position_words(position);
            json!({ "event": "dry-run", "position": position, "would": would, "trials": trials, "rejects": allowed })
        }
        Ended::RolledBack { run, here } => json!({ "event": "rolled-back", "run": run, "here": here }),
        Ended::Collected { runs } => json!({ "event": "collected", "runs": runs }),
    }
}
