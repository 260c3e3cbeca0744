//! What the filed lines of the journal say, read one by one.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::Path,
};

use mig_plan::{Fingerprint, Plan, StepId};
use serde::Serialize;

use crate::journal::{Entry, Event};

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// Nothing of it was begun.
    #[default]
    Pending,
    /// It was begun.
    Begun,
    /// It was done.
    Done,
    /// It was found done.
    FoundDone,
    /// It was taken back.
    Undone,
}

/// The result of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct StepResult {
    pub(super) state: State,
    /// When its last line was written.
    pub(super) at: Option<String>,
    pub(super) took_ms: Option<u64>,
    pub(super) rows: Option<u64>,
    pub(super) batches: u64,
}

/// A run, from its lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub(super) status: &'static str,
    pub(super) begun_at: Option<String>,
    pub(super) last_at: Option<String>,
    pub(super) approved_by: Vec<(String, String)>,
    pub(super) executor: Option<String>,
    pub(super) sessions: u64,
    pub(super) strained: u64,
    pub(super) steps: BTreeMap<StepId, StepResult>,
    pub(super) lines: u64,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    pub(super) hash: Option<Fingerprint>,
}

/// Reads the filed lines of a run.
pub(super) fn read(path: &Path, plan: &Plan) -> io::Result<Summary> {
    let steps = plan.steps.iter().map(|step| (step.id.clone(), StepResult::default())).collect();
    let mut summary = Summary { status: "not begun", steps, ..Summary::default() };
    for line in BufReader::new(File::open(path)?).lines() {
        summary.hear(&serde_json::from_str(&line?)?);
    }
    Ok(summary)
}

impl Summary {
    fn hear(&mut self, entry: &Entry) {
        self.lines += 1;
        self.first.get_or_insert(entry.seq);
        (self.last, self.hash) = (Some(entry.seq), Some(entry.hash.clone()));
        self.last_at = Some(entry.at.clone());
        match &entry.event {
            Event::RunBegun { approved_by, executor, .. } => {
                self.status = "open";
                self.begun_at = Some(entry.at.clone());
                self.approved_by.clone_from(approved_by);
                self.executor = Some(executor.clone());
            }
            Event::SessionBegun { .. } => {
                self.sessions += 1;
                if self.status == "paused" {
                    self.status = "open";
                }
            }
            Event::StepBegun { step, .. } => self.at(step, &entry.at, |result| {
                if result.state == State::Pending {
                    result.state = State::Begun;
                }
            }),
            Event::Batch { step, rows, .. } => self.at(step, &entry.at, |result| {
                result.batches += 1;
                result.rows = Some(*rows);
            }),
            Event::StepDone { step, took_ms, rows } => self.at(step, &entry.at, |result| {
                let found = took_ms.is_none() && result.state == State::Pending;
                result.state = if found { State::FoundDone } else { State::Done };
                result.took_ms = *took_ms;
                result.rows = rows.or(result.rows);
            }),
            Event::StepUndone { step, .. } => self.at(step, &entry.at, |result| result.state = State::Undone),
            Event::Paused { .. } => self.status = "paused",
            Event::Strained { .. } => self.strained += 1,
            Event::RunDone {} => self.status = "done",
            Event::RollbackBegun {} => self.status = "rolling-back",
            Event::RolledBack {} => self.status = "rolled-back",
            _ => {}
        }
    }

    fn at(&mut self, step: &StepId, at: &str, change: impl FnOnce(&mut StepResult)) {
        let result = self.steps.entry(step.clone()).or_default();
        result.at = Some(at.to_owned());
        change(result);
    }
}
