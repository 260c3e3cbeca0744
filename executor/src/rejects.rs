//! Rows that a transform leaves as they are: counted against what the plan allows, and kept with key, reason and content.

use mig_plan::{StepId, step::Rejects};
use serde::{Deserialize, Serialize};

use crate::{
    driver::Driver,
    failure::Failure,
    runner::{Halt, Runner},
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
    pub(crate) async fn reject(&mut self, step: &StepId, rejects: Option<&Rejects>) -> Result<(), Halt> {
        let Some(rejects) = rejects else { return Ok(()) };
        let most = usize::try_from(rejects.max).unwrap_or(usize::MAX - 1) + 1;
        let rows = self.driver.ask(&rejects.sql, most).await?;
        let rejected = rows.into_iter().map(|row| self.rejected(step, row)).collect::<Result<Vec<_>, _>>()?;
        if rejected.len() as u64 > rejects.max {
            let samples = rejected.iter().take(SHOWN).map(|row| format!("{}: {}", row.key, row.reason)).collect();
            return Err(Stop::TooManyRejects { step: step.clone(), max: rejects.max, samples }.into());
        }
        self.driver.reject(&self.run, step, &rejected).await?;
        Ok(())
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
