//! Reads the journal: which runs there were, and where each stands.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Action, Address, Fingerprint, Phase, Plan, Step, StepId, verify::When};
use serde::Serialize;

use crate::{
    align::{Memory, Spelling},
    chain::Chain,
    control::Wish,
    driver::{Cursor, Driver, Session},
    journal::{Entry, Event},
    line::{Leg, Line, Way},
    reconcile::{Position, Told, place},
    stop::Stop,
    verify::Answer,
};

/// The name under which a run's plan is kept.
pub const KEPT_PLAN: &str = "plan.json";

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Begun and not ended.
    Open,
    /// Every step is done.
    Done,
    /// Its rollback has begun and not ended.
    RollingBack,
    /// Taken back.
    RolledBack,
}

/// A run as the journal tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its id.
    pub run: String,
    /// The digest of its plan.
    pub plan: Fingerprint,
    /// The plan's name for people.
    pub title: String,
    /// Principals and key fingerprints that signed.
    pub approved_by: Vec<(String, String)>,
    /// What it reserves.
    pub reserved: BTreeSet<Address>,
    /// The executor that began it.
    pub executor: String,
    /// Where it stands.
    pub status: RunStatus,
    /// The phase at whose end it waits, if it does.
    pub paused: Option<Phase>,
    /// What it does because somebody asked: wait, or nothing more until it is taken up again.
    pub held: Option<Wish>,
    /// What makes it slow or wait, as the monitor last found it.
    pub strained: Vec<String>,
    /// Whether what it kept is dropped for good.
    pub collected: bool,
    /// The number of its first line in the journal.
    pub seq: u64,
    /// When it began.
    pub begun_at: String,
    /// When its last line was written.
    pub last_at: String,
    /// Steps done, whether taken back since or not.
    pub done: BTreeSet<StepId>,
    /// Steps taken back.
    pub undone: BTreeSet<StepId>,
    /// The sessions that executed it last: those of which something may still be at work.
    #[serde(skip)]
    pub sessions: Vec<Session>,
    /// A step whose statement was begun and of which no end is known.
    #[serde(skip)]
    pub begun: Option<StepId>,
    /// Cursors and rows of batches, in the present direction.
    #[serde(skip)]
    pub cursors: BTreeMap<StepId, (Cursor, u64)>,
    /// Steps that were begun, forth, done or not.
    #[serde(skip)]
    pub touched: BTreeSet<StepId>,
    /// Steps that were found done before this run did anything for them.
    #[serde(skip)]
    pub found: BTreeSet<StepId>,
    /// What the declared checks answered before the first write.
    #[serde(skip)]
    pub before: Vec<Answer>,
}

impl RunSummary {
    /// What is known of a line of this run's plan.
    pub(crate) fn told(&self, line: &Line<'_>) -> Told {
        let known = match line.way {
            Way::Forth => &self.done,
            Way::Back => &self.undone,
        };
        let done = line.legs.iter().take_while(|leg| known.contains(leg.id)).count();
        let alone = |leg: &Leg<'_>| matches!(leg.action, Action::Statement(_)) && self.begun.as_ref() == Some(leg.id);
        let begun = line.legs.iter().position(alone);
        Told { done, begun }
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.status, RunStatus::Done | RunStatus::RolledBack)
    }

    /// Whether it was applied and not taken back, wholly or in part.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.status != RunStatus::RolledBack
    }

    fn hear(&mut self, entry: &Entry) {
        // What is saved before it is dropped makes no old run a young one.
        if !matches!(entry.event, Event::Saved { .. }) {
            self.last_at.clone_from(&entry.at);
        }
        match &entry.event {
            Event::RunBegun { .. } | Event::Saved { .. } => {}
            Event::SessionBegun { session } => {
                self.sessions = vec![session.clone()];
                self.paused = None;
                self.held = None;
            }
            Event::StepBegun { step, session } => {
                if !self.sessions.contains(session) {
                    self.sessions.push(session.clone());
                }
                self.begun = Some(step.clone());
                if self.status != RunStatus::RollingBack {
                    self.touched.insert(step.clone());
                }
            }
            Event::StepDone { step, took_ms, .. } => {
                self.begun = None;
                if took_ms.is_none() && !self.touched.contains(step) {
                    self.found.insert(step.clone());
                }
                self.done.insert(step.clone());
            }
            Event::Batch { step, cursor, rows } => {
                self.cursors.insert(step.clone(), (cursor.clone(), *rows));
            }
            Event::Asked { moment: When::Before, answers } => self.before.clone_from(answers),
            Event::Asked { .. } => {}
            Event::Paused { through } => self.paused = Some(*through),
            Event::Held { wish, .. } => self.held = Some(*wish),
            Event::Resumed {} => self.held = None,
            Event::Baseline { .. } | Event::Eased {} => self.strained.clear(),
            Event::Strained { findings, .. } => {
                self.strained = findings.iter().map(|finding| finding.says.clone()).collect();
            }
            Event::RunDone {} => self.status = RunStatus::Done,
            Event::RollbackBegun {} => {
                self.status = RunStatus::RollingBack;
                self.begun = None;
                self.paused = None;
                self.cursors.clear();
            }
            Event::StepUndone { step, .. } => {
                self.begun = None;
                self.undone.insert(step.clone());
            }
            Event::RolledBack {} => self.status = RunStatus::RolledBack,
            Event::Collected {} => self.collected = true,
        }
    }
}

/// The runs of a journal, oldest first.
#[must_use]
pub fn runs(entries: &[Entry]) -> Vec<RunSummary> {
    let mut runs: Vec<RunSummary> = Vec::new();
    for entry in entries {
        if let Event::RunBegun { plan, title, approved_by, reserved, executor } = &entry.event {
            runs.push(RunSummary {
                run: entry.run.clone(),
                plan: plan.clone(),
                title: title.clone(),
                approved_by: approved_by.clone(),
                reserved: reserved.iter().cloned().collect(),
                executor: executor.clone(),
                status: RunStatus::Open,
                paused: None,
                held: None,
                strained: Vec::new(),
                collected: false,
                seq: entry.seq,
                begun_at: entry.at.clone(),
                last_at: entry.at.clone(),
                done: BTreeSet::new(),
                undone: BTreeSet::new(),
                sessions: Vec::new(),
                begun: None,
                cursors: BTreeMap::new(),
                touched: BTreeSet::new(),
                found: BTreeSet::new(),
                before: Vec::new(),
            });
        }
        if let Some(run) = runs.iter_mut().rev().find(|run| run.run == entry.run) {
            run.hear(entry);
        }
    }
    runs
}

/// What two sets of objects share.
pub(crate) fn overlap(one: &BTreeSet<Address>, other: &BTreeSet<Address>) -> Vec<Address> {
    one.intersection(other).cloned().collect()
}

/// Where the runs of a database stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Runs that are under way, forth or back.
    pub open: Vec<Standing>,
    /// The last closed runs, newest first.
    pub last: Vec<RunSummary>,
}

/// Where a run that is under way stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The run.
    pub run: RunSummary,
    /// Where the database stands on the run's line; `None` if its plan could not be read.
    pub position: Option<Position>,
    /// Legs of the line.
    pub of: usize,
    /// The step that comes next.
    pub next: Option<StepId>,
    /// The phase of the step that comes next.
    pub phase: Option<Phase>,
}

/// How many closed runs a status lists.
const LAST: usize = 5;

/// Where the runs of a database stand. Reads only.
///
/// # Errors
/// [`Stop`] if the database cannot be asked or its journal is broken.
pub async fn status(driver: &mut dyn Driver) -> Result<Status, Stop> {
    let entries = verified(driver).await?;
    let mut open = Vec::new();
    let mut last = Vec::new();
    for run in runs(&entries) {
        if run.is_closed() {
            last.push(run);
        } else {
            open.push(standing(driver, run).await?);
        }
    }
    last.reverse();
    last.truncate(LAST);
    Ok(Status { open, last })
}

/// The runs of a database, oldest first. Reads only.
///
/// # Errors
/// [`Stop`] if the database cannot be asked or its journal is broken.
pub async fn history(driver: &mut dyn Driver) -> Result<Vec<RunSummary>, Stop> {
    Ok(runs(&verified(driver).await?))
}

async fn verified(driver: &mut dyn Driver) -> Result<Vec<Entry>, Stop> {
    let entries = driver.entries().await?;
    Chain::verify(&entries).map_err(|e| Stop::JournalBroken { says: e.to_string() })?;
    Ok(entries)
}

async fn standing(driver: &mut dyn Driver, run: RunSummary) -> Result<Standing, Stop> {
    let unread = |run| Standing { run, position: None, of: 0, next: None, phase: None };
    let Ok(plan) = kept_plan(driver, &run).await? else { return Ok(unread(run)) };
    let line = match run.status {
        RunStatus::RollingBack => Line::back(&plan, to_undo(&plan, &run)),
        _ => Line::forth(&plan),
    };
    let Ok(line) = line else { return Ok(unread(run)) };
    let live = driver.observe(&line.reserved).await?;
    let memory = Memory::new(driver.remembered().await?);
    let spelling = Spelling { dialect: driver.dialect(), memory: &memory };
    let position = place(&line, &live, spelling, run.told(&line));
    let at = match &position {
        Position::AtBase => Some(0),
        Position::After(at) | Position::Amid(at) => Some(*at),
        Position::AtGoal | Position::Drifted(_) => None,
    };
    let next = at.and_then(|at| line.legs.get(at)).map(|leg| (leg.id.clone(), leg.phase));
    let of = line.len();
    let (next, phase) = next.unzip();
    Ok(Standing { run, position: Some(position), of, next, phase })
}

/// How many steps of a plan a rollback takes back: up to the last that was done, or begun and able to leave something.
pub(crate) fn to_undo(plan: &Plan, run: &RunSummary) -> usize {
    let left = |step: &Step| {
        run.done.contains(&step.id) || run.touched.contains(&step.id) && matches!(step.action, Action::Batches(_))
    };
    plan.steps.iter().rposition(left).map_or(0, |at| at + 1)
}

/// The plan of a run as this database keeps it; a sentence if it cannot be read.
pub(crate) async fn kept_plan(driver: &mut dyn Driver, run: &RunSummary) -> Result<Result<Plan, String>, Stop> {
    let Some(bytes) = driver.kept(run.plan.as_str(), KEPT_PLAN).await? else {
        return Ok(Err("it is not kept here".to_owned()));
    };
    if Fingerprint::of_bytes(&bytes) != run.plan {
        return Ok(Err("its bytes are not those that the journal names".to_owned()));
    }
    Ok(Plan::from_bytes(&bytes).map_err(|e| e.to_string()))
}
