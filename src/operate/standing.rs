//! Where a database stands, and what was done in it.

use mig_executor::{RunStatus, RunSummary, Standing, Wish};
use serde_json::json;

use super::{
    close,
    outcome::{counted, position_words},
    trouble,
};
use crate::{exit::Trouble, target::Database, wiring};

/// Where a database stands, in words or as JSON.
pub(crate) async fn status(database: &Database, json: bool) -> Result<String, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let status = mig_executor::status(&mut *driver).await.map_err(|stop| trouble(&stop))?;
    close(driver).await?;
    if json {
        let open: Vec<_> = status.open.iter().map(standing_object).collect();
        let last: Vec<_> = status.last.iter().map(run_object).collect();
        return Ok(json!({ "open": open, "last": last }).to_string());
    }
    let mut lines: Vec<_> = status.open.iter().map(standing_words).collect();
    if lines.is_empty() {
        lines.push("no run is open".to_owned());
    }
    lines.extend(status.last.iter().map(run_words));
    Ok(lines.join("\n"))
}

/// The runs of a database, oldest first, in words or as JSON.
pub(crate) async fn history(database: &Database, json: bool) -> Result<String, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let runs = mig_executor::history(&mut *driver).await.map_err(|stop| trouble(&stop))?;
    close(driver).await?;
    if json {
        return Ok(runs.iter().map(|run| format!("{}\n", run_object(run))).collect());
    }
    if runs.is_empty() {
        return Ok("mig has applied nothing here".to_owned());
    }
    Ok(runs.iter().map(|run| format!("{}\n", run_words(run))).collect())
}

/// A run on a line, for people.
pub(super) fn run_words(run: &RunSummary) -> String {
    let signers: Vec<_> = run.approved_by.iter().map(|(principal, _)| principal.as_str()).collect();
    let signed = if signers.is_empty() { "unsigned".to_owned() } else { format!("signed by {}", signers.join(", ")) };
    let collected = if run.collected { ", kept data dropped" } else { "" };
    format!(
        "{}  {}  {}: {} done, {} taken back{collected}, {signed}",
        run.run,
        status_word(&run.status),
        run.title,
        counted(run.done.len(), "step"),
        run.undone.len()
    )
}

fn standing_words(standing: &Standing) -> String {
    let mut text = run_words(&standing.run);
    match &standing.position {
        Some(position) => {
            text.push_str(&format!("\n  {} ({} in all)", position_words(position), counted(standing.of, "step")))
        }
        None => text.push_str("\n  its plan cannot be read from this database"),
    }
    match standing.run.held {
        Some(Wish::Pause) => {
            text.push_str(&format!("\n  paused on request; mig resume {} lets it go on", standing.run.run))
        }
        Some(Wish::Stop) => text.push_str("\n  stopped on request"),
        None => {}
    }
    for says in &standing.run.strained {
        text.push_str(&format!("\n  held up: {says}"));
    }
    if let Some(through) = standing.run.paused {
        text.push_str(&format!("\n  paused after {through}"));
    }
    if let Some(next) = &standing.next {
        text.push_str(&format!("\n  next: {next}"));
    }
    text
}

fn status_word(status: &RunStatus) -> &'static str {
    match status {
        RunStatus::Open => "open",
        RunStatus::Done => "done",
        RunStatus::RollingBack => "rolling-back",
        RunStatus::RolledBack => "rolled-back",
    }
}

fn run_object(run: &RunSummary) -> serde_json::Value {
    let signers: Vec<_> = run.approved_by.iter().map(|(who, key)| json!({ "principal": who, "key": key })).collect();
    json!({
        "run": run.run, "plan": run.plan, "title": run.title, "status": status_word(&run.status),
        "paused": run.paused, "held": run.held, "strained": run.strained, "begun_at": run.begun_at, "last_at": run.last_at, "executor": run.executor,
        "approved_by": signers, "done": run.done, "undone": run.undone, "collected": run.collected,
    })
}

fn standing_object(standing: &Standing) -> serde_json::Value {
    let mut object = run_object(&standing.run);
    object["position"] = json!(standing.position.as_ref().map(position_words));
    object["steps"] = json!(standing.of);
    object["next"] = json!(standing.next);
    object["phase"] = json!(standing.phase);
    object
}
