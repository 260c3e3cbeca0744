//! A plan for those who review it: in words, as pages, as graphs, and in the forms that code hosts read.

mod advice;
mod changes;
mod clean;
mod compare;
mod dot;
mod forge;
mod graph;
mod html;
mod markdown;
#[cfg(test)]
mod sample;
mod sarif;
mod spots;
mod text;
mod wrap;

use mig_plan::{
    Action, Backup, Class, Dataset, DeclaredCheck, DeclaredProbe, Phase, Plan, Statement, Step,
    verify::{Expect, When},
};

pub use self::{
    advice::{Advice, Pages},
    changes::changes,
    compare::{Difference, compare, empty},
    dot::{dot, mermaid},
    forge::{annotations, code_quality},
    html::html,
    markdown::markdown,
    sarif::sarif,
    spots::{Spot, Spots},
    text::{TextStyle, text},
};

/// The statements of an action in the order in which they run, each with its part in the action where that is not plain.
fn statements(action: &Action) -> Vec<(Option<&'static str>, &Statement)> {
    match action {
        Action::Transaction(transaction) => {
            let parts: [(_, &[Statement]); 5] = [
                (Some("before the transaction"), &transaction.prepare),
                (None, &transaction.lock),
                (None, &transaction.sql),
                (Some("must give no row"), &transaction.none),
                (Some("after the transaction"), &transaction.restore),
            ];
            parts.into_iter().flat_map(|(part, list)| list.iter().map(move |s| (part, s))).collect()
        }
        Action::Statement(single) => {
            let parts: [(_, &[Statement]); 3] = [
                (Some("before the statement"), &single.prepare),
                (Some("outside any transaction"), std::slice::from_ref(&single.sql)),
                (Some("after the statement"), &single.restore),
            ];
            parts.into_iter().flat_map(|(part, list)| list.iter().map(move |s| (part, s))).collect()
        }
        Action::Batches(batches) => {
            let mut all: Vec<_> = batches.prepare.iter().map(|s| (Some("once, before the first batch"), s)).collect();
            all.extend(batches.first.sql.iter().map(|s| (Some("the first batch"), s)));
            all.extend(batches.next.sql.iter().map(|s| (Some("each batch after it"), s)));
            all
        }
        Action::Nothing {} => Vec::new(),
    }
}

/// How an action goes about many rows, in words.
fn batch_words(action: &Action) -> Option<String> {
    match action {
        Action::Batches(batches) => Some(format!(
            "batches of {} rows at first ({} to {}, about {} ms each) by {}",
            batches.rows,
            batches.min_rows,
            batches.max_rows,
            batches.target_ms,
            batches.key.join(", ")
        )),
        Action::Transaction(_) | Action::Statement(_) | Action::Nothing {} => None,
    }
}

/// A declared check in words, at one of its moments.
fn check_words(check: &DeclaredCheck, moment: When) -> String {
    let expect = match (&check.expect, moment) {
        (Expect::Unchanged {}, When::Before) => "its answer is kept for the comparison".to_owned(),
        (expect, _) => format!("it must be {}", clean::line(&expect.to_string())),
    };
    format!("{}: {expect}", clean::line(&check.name))
}

/// A backup in words.
fn backup_words(backup: &Backup) -> String {
    let table = clean::line(&backup.table.to_string());
    if backup.whole {
        return format!("{table}: every row");
    }
    let columns: Vec<_> = backup.columns.iter().map(|column| clean::line(column.name.as_str())).collect();
    format!("{table}: {} of every row", columns.join(", "))
}

/// A dataset in words.
fn dataset_words(dataset: &Dataset) -> String {
    let when = match dataset.when {
        When::Before => "before the first write",
        When::After => "after the last step",
        When::Both => "before the first write and after the last step",
    };
    format!("{}: {when}", clean::line(&dataset.name))
}

/// A probe in words.
fn probe_words(probe: &DeclaredProbe) -> String {
    let verdict = match &probe.expect_error {
        Some(error) => format!("must fail with `{}`", clean::line(error)),
        None => "must succeed".to_owned(),
    };
    format!("{}: {verdict}", clean::line(&probe.name))
}

/// How many steps of each class, in words.
fn summary(plan: &Plan) -> String {
    let steps = plan.steps.len();
    let counts = [
        (Class::Critical, plan.summary.critical),
        (Class::Warning, plan.summary.warning),
        (Class::Routine, plan.summary.routine),
    ];
    let counts: Vec<_> = counts.iter().filter(|(_, n)| *n > 0).map(|(class, n)| format!("{n} {class}")).collect();
    let things = if steps == 1 { "step" } else { "steps" };
    if counts.is_empty() { "no steps".to_owned() } else { format!("{steps} {things}: {}", counts.join(", ")) }
}

/// What the plan is for, in words.
fn target(plan: &Plan) -> String {
    let name = plan.target.name.as_ref().map(|name| format!("{}, ", clean::line(name))).unwrap_or_default();
    format!("{name}{} {}", clean::line(&plan.target.engine), clean::line(&plan.target.version))
}

/// Steps that deserve a sentence of their own in a review.
fn noteworthy(plan: &Plan, class: Class) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(move |step| step.class == class)
}

/// What a phase is for, in a few words.
fn about(phase: Phase) -> &'static str {
    match phase {
        Phase::Expand => "adds what old clients do not notice",
        Phase::Backfill => "moves data, in batches",
        Phase::Switch => "flips names and definitions",
        Phase::Contract => "removes the old, and tightens",
    }
}
