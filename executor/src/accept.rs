//! Takes a person's word that what a database has is what the specs say, in another spelling.

use std::{collections::BTreeSet, time::Duration};

use mig_plan::{Address, Object, Sql};

use crate::{
    align::{Memory, Spelling},
    driver::{Driver, Lease},
    runner::OWN,
    stop::Stop,
};

/// The texts of an object that nothing but a person can judge: what the specs say, and what the database has. `None` if more than texts
/// differs. Reads only.
///
/// # Errors
/// [`Stop`] if the database cannot be asked.
pub async fn doubts(driver: &mut dyn Driver, at: &Address, said: &Object) -> Result<Option<Vec<(Sql, Sql)>>, Stop> {
    let memory = Memory::new(driver.remembered().await?);
    let live = driver.observe(&BTreeSet::from([at.clone()])).await?;
    let spelling = Spelling { dialect: driver.dialect(), memory: &memory };
    Ok(live.get(at).and_then(|live| spelling.doubts(at, live, said)))
}

/// Records that the live object means what `said` says. It holds until either text changes.
///
/// # Errors
/// [`Stop`] if another executor is at work, or the database cannot be asked or written.
pub async fn accept(driver: &mut dyn Driver, at: &Address, said: &Object) -> Result<(), Stop> {
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    if let Lease::Held { by } = driver.lease(Duration::ZERO).await? {
        return Err(Stop::Locked { by });
    }
    driver.install().await?;
    let memory = Memory::new(driver.remembered().await?);
    let live = driver.observe(&BTreeSet::from([at.clone()])).await?;
    let spelling = Spelling { dialect: driver.dialect(), memory: &memory };
    if let Some(records) = spelling.adopt(at, None, live.get(at), Some(said)).filter(|records| !records.is_empty()) {
        driver.begin(&OWN).await?;
        driver.remember(&records).await?;
        driver.commit().await?;
    }
    Ok(driver.release().await?)
}
