//! Takes a person's word that what a database has is what the specs say, in another spelling.

use std::collections::BTreeSet;

use mig_plan::{Address, Object};

use crate::{
    align::{Memory, Spelling},
    driver::Driver,
    runner::OWN,
    stop::Stop,
};

/// Records that the live object means what `expected` says. Only spelling that nothing else can judge is taken on trust: gives how many
/// texts were, or `None` if more than that differs.
///
/// # Errors
/// [`Stop`] if another executor is at work, or the database cannot be asked or written.
pub async fn accept(driver: &mut dyn Driver, at: &Address, expected: &Object) -> Result<Option<usize>, Stop> {
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    if let crate::Lease::Held { by } = driver.lease(std::time::Duration::ZERO).await? {
        return Err(Stop::Locked { by });
    }
    driver.install().await?;
    let memory = Memory::new(driver.remembered().await?);
    let live = driver.observe(&BTreeSet::from([at.clone()])).await?;
    let live = live.get(at);
    let spelling = Spelling { dialect: driver.dialect(), memory: &memory };
    let Some(records) = spelling.adopt(at, live, live, Some(expected)) else { return Ok(None) };
    if !records.is_empty() {
        driver.begin(&OWN).await?;
        driver.remember(&records).await?;
        driver.commit().await?;
    }
    driver.release().await?;
    Ok(Some(records.len()))
}
