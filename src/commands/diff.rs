//! `mig diff`: what became of a plan.

use std::{collections::BTreeMap, path::PathBuf};

use mig_plan::{Plan, Step, StepId};
use similar::TextDiff;

use crate::{
    exit::{Outcome, Trouble},
    plan_file, terminal,
};

/// Compare two plans: steps that went, came or changed, and how.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan that was
    old: PathBuf,
    /// The plan that is
    new: PathBuf,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let (old, new) = (plan_file::read(&args.old)?, plan_file::read(&args.new)?);
    let text = compare(&old.plan, &new.plan);
    terminal::say(if text.is_empty() { "the plans are the same" } else { text.trim_end() });
    Ok(Outcome::Done)
}

/// The differences; empty if there are none.
fn compare(old: &Plan, new: &Plan) -> String {
    let mut out = String::new();
    for (what, was, is) in [
        ("base", old.base.as_str(), new.base.as_str()),
        ("goal", old.goal.as_str(), new.goal.as_str()),
        ("specs", old.specs.as_str(), new.specs.as_str()),
        ("compiler", &old.compiler, &new.compiler),
        ("engine", &old.target.engine, &new.target.engine),
        ("version", &old.target.version, &new.target.version),
    ] {
        if was != is {
            out.push_str(&format!("{what}: {was} -> {is}\n"));
        }
    }
    let (was, is) = (by_id(old), by_id(new));
    for step in old.steps.iter().filter(|step| !is.contains_key(&step.id)) {
        out.push_str(&format!("- {} [{}] {}\n", step.id, step.class, step.why));
    }
    for step in &new.steps {
        match was.get(&step.id) {
            None => out.push_str(&format!("+ {} [{}] {}\n", step.id, step.class, step.why)),
            Some(before) if **before != *step => {
                let (before, after) = (pretty(before), pretty(step));
                let diff = TextDiff::from_lines(&before, &after).unified_diff().context_radius(2).to_string();
                out.push_str(&format!("~ {} [{}] {}\n", step.id, step.class, step.why));
                diff.lines().for_each(|line| out.push_str(&format!("    {line}\n")));
            }
            Some(_) => {}
        }
    }
    let order = |plan: &Plan, other: &BTreeMap<&StepId, &Step>| -> Vec<StepId> {
        plan.steps.iter().map(|s| s.id.clone()).filter(|id| other.contains_key(id)).collect()
    };
    if order(old, &is) != order(new, &was) {
        out.push_str("the steps that both have come in another order\n");
    }
    if old.checks != new.checks {
        let (before, after) = (pretty(&old.checks), pretty(&new.checks));
        out.push_str(&TextDiff::from_lines(&before, &after).unified_diff().header("checks", "checks").to_string());
    }
    out
}

fn by_id(plan: &Plan) -> BTreeMap<&StepId, &Step> {
    plan.steps.iter().map(|step| (&step.id, step)).collect()
}

fn pretty<T: serde::Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("the model's types always encode");
    text.push('\n');
    text
}
