//! Rows that a transform leaves as they are: counted against what the plan allows, and kept with key, reason and content.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Action, Address, StepId};
use serde::{Deserialize, Serialize};

use crate::{
    apply::Pace,
    driver::{Connector, Driver},
    failure::Failure,
    line::Line,
    report::Report,
    run::Course,
    runner::{Halt, Runner},
    runs::{RunStatus, kept_plan, runs},
    stop::Stop,
};

/// How many rows are shown where too many are rejected.
const SHOWN: usize = 5;

/// A row that a step left as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The run.
    pub run: String,
    /// The step.
    pub step: StepId,
    /// The row's key, a JSON object.
    pub key: String,
    /// Why, as the specs say it.
    pub reason: String,
    /// The row as it was then, a JSON object.
    pub row: String,
}

impl Runner<'_> {
    /// Looks for the rows that a step is to leave as they are. Stops if there are too many; keeps them otherwise, in the open transaction.
    /// A row that another step of the same table left for the same reason is kept once.
    pub(crate) async fn reject(&mut self, line: &Line<'_>, nth: usize) -> Result<(), Halt> {
        let step = line.legs[nth].id;
        let Some(rejects) = line.legs[nth].rejects() else { return Ok(()) };
        let most = usize::try_from(rejects.max).unwrap_or(usize::MAX - 1) + 1;
        let rows = self.driver.ask(&rejects.sql, most).await?;
        let rejected = rows.into_iter().map(|row| self.rejected(step, row)).collect::<Result<Vec<_>, _>>()?;
        if rejected.len() as u64 > rejects.max {
            let samples = rejected.iter().take(SHOWN).map(|row| format!("{}: {}", row.key, row.reason)).collect();
            return Err(Stop::TooManyRejects { step: step.clone(), max: rejects.max, samples }.into());
        }
        let told = self.told_by_others(line, nth).await?;
        let is_new = |row: &Rejected| !told.contains(&(row.key.clone(), row.reason.clone()));
        let rejected: Vec<Rejected> = rejected.into_iter().filter(is_new).collect();
        self.driver.reject(&self.run, step, &rejected).await?;
        Ok(())
    }

    /// The rows, by key and reason, that other steps of the same table have left as they are.
    async fn told_by_others(&mut self, line: &Line<'_>, nth: usize) -> Result<BTreeSet<(String, String)>, Halt> {
        let own = &line.legs[nth];
        let others = line.legs.iter().filter(|leg| leg.about == own.about && leg.id != own.id);
        let others: BTreeSet<&StepId> = others.filter(|leg| leg.rejects().is_some()).map(|leg| leg.id).collect();
        if others.is_empty() {
            return Ok(BTreeSet::new());
        }
        let kept = self.driver.rejects(&self.run).await?.into_iter();
        Ok(kept.filter(|row| others.contains(&row.step)).map(|row| (row.key, row.reason)).collect())
    }

    /// Does again what rejected rows of a run that is done: those that fit by now get their values. Gives those that still do not.
    async fn again_for_rejected(&mut self, run: &str) -> Result<Vec<Rejected>, Halt> {
        let entries = self.read_journal().await?;
        let summary = runs(&entries).into_iter().find(|summary| summary.run == run);
        let summary = summary.ok_or_else(|| Stop::NoSuchRun { which: run.to_owned() })?;
        let refused = |says: &str| Stop::NotRetried { run: run.to_owned(), says: says.to_owned() };
        if summary.status != RunStatus::Done {
            return Err(refused("it is not done, and applying its plan again tries the rows again").into());
        }
        let lost = |why| Stop::PlanLost { run: run.to_owned(), plan: summary.plan.clone(), why };
        let plan = kept_plan(&mut *self.driver, &summary).await?.map_err(lost)?;
        let line = Line::forth(&plan).map_err(|e| lost(e.to_string()))?;
        run.clone_into(&mut self.run);
        let steps: BTreeSet<StepId> = self.driver.rejects(run).await?.into_iter().map(|row| row.step).collect();
        // A row is kept by one step of its table, and has to go through all of them.
        let tables: BTreeSet<&Address> =
            line.legs.iter().filter(|leg| steps.contains(leg.id)).map(|leg| &leg.about).collect();
        for nth in 0..line.len() {
            let leg = &line.legs[nth];
            if !tables.contains(&leg.about) || leg.rejects().is_none() {
                continue;
            }
            let live = self.observe(&leg.touched).await?;
            let spelling = self.spelling();
            if !leg.touched.iter().all(|at| spelling.equal(at, live.get(at), line.expected(nth + 1, at))) {
                return Err(refused("the table has another form by now than when the rows were rejected").into());
            }
            let course = Course { done: BTreeSet::new(), cursors: BTreeMap::new() };
            match leg.action {
                Action::Batches(batches) => self.backfill(&line, nth, batches, &course).await?,
                Action::Transaction(_) if line.shapeless(nth) => {
                    self.transaction(&line, &(nth..nth + 1), &course).await?;
                }
                _ => return Err(refused("the step that rejected them makes its table anew").into()),
            }
        }
        Ok(self.driver.rejects(run).await?)
    }

    fn rejected(&self, step: &StepId, row: Vec<Option<String>>) -> Result<Rejected, Failure> {
        let [Some(key), Some(reason), Some(row)] = row.as_slice() else {
            return Err(Failure::broken(format!("the query for rejected rows of {step} answered {row:?}")));
        };
        let (key, reason, row) = (key.clone(), reason.clone(), row.clone());
        Ok(Rejected { run: self.run.clone(), step: step.clone(), key, reason, row })
    }
}

/// The rows that a run rejected, by step and key. Reads only.
///
/// # Errors
/// [`Stop::NoSuchRun`], or what the database says.
pub async fn rejects(driver: &mut dyn Driver, run: &str) -> Result<Vec<Rejected>, Stop> {
    if !crate::runs::history(driver).await?.iter().any(|summary| summary.run == run) {
        return Err(Stop::NoSuchRun { which: run.to_owned() });
    }
    Ok(driver.rejects(run).await?)
}

/// Tries the rows again that a run rejected, once they are corrected. Gives those that still do not fit.
///
/// # Errors
/// [`Stop`]: what happened, what stands, what to do next.
pub async fn retry(
    connect: &mut dyn Connector,
    run: &str,
    pace: Pace,
    report: &mut dyn Report,
) -> Result<Vec<Rejected>, Stop> {
    let mut driver = connect.connect().await?;
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    let mut runner = Runner::begin(connect, driver, pace, report).await?;
    let result = runner.again_for_rejected(run).await;
    runner.leave().await;
    result.map_err(|halt| match halt {
        Halt::Stop(stop) => *stop,
        Halt::Failure(failure) => failure.into(),
    })
}
