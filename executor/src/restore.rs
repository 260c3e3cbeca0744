//! Puts the rows of a backup into a new table.

use std::{io, path::Path};

use mig_plan::{Limits, Qualified, Statement};

use crate::{
    driver::Driver,
    evidence::{Header, Line, Reading, Trailer},
    failure::Failure,
    stop::Stop,
};

/// How many rows one statement inserts at most, and how long its text may get.
const ROWS: usize = 500;
const BYTES: usize = 1 << 20;

/// As long as it takes.
const LIMITS: Limits = Limits { lock_ms: 5_000, statement_ms: 0, attempts: 1 };

/// Reads a backup to its end.
///
/// # Errors
/// [`Stop::Unrestored`] if it is damaged.
pub fn check(path: &Path) -> Result<(Header, Trailer), Stop> {
    let reading = Reading::open(path).map_err(|error| unreadable(path, &error))?;
    let header = reading.header.clone();
    Ok((header, reading.to_end().map_err(|error| unreadable(path, &error))?))
}

/// Makes a table with the columns of a backup and inserts its rows, all or none. Gives the number of rows.
///
/// # Errors
/// [`Stop::Unrestored`] if the backup is damaged or of another engine, or the table is there already; else what the database said.
pub async fn restore(driver: &mut dyn Driver, path: &Path, into: &Qualified) -> Result<u64, Stop> {
    // Everything is read once before anything is written.
    let (header, trailer) = check(path)?;
    let engine = driver.dialect().engine();
    if header.engine != engine {
        let says = format!("{} is of a {} database, this one is {engine}", path.display(), header.engine);
        return Err(Stop::Unrestored { says });
    }
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    let made = driver.dialect().plain_table(into, &header.columns);
    let undoes = driver.undoes_ddl();
    if !undoes {
        driver.execute_alone(&made, &LIMITS).await.map_err(|failure| refused(into, failure))?;
    }
    driver.begin(&LIMITS).await?;
    let filled = fill(driver, path, into, undoes.then_some(&made)).await;
    if let Err(stop) = filled {
        driver.rollback().await?;
        if !undoes {
            let drop = format!("DROP TABLE {}", driver.dialect().path(into));
            driver.execute_alone(&Statement::new(drop), &LIMITS).await?;
        }
        return Err(stop);
    }
    driver.commit().await?;
    Ok(trailer.rows)
}

async fn fill(driver: &mut dyn Driver, path: &Path, into: &Qualified, made: Option<&Statement>) -> Result<(), Stop> {
    if let Some(made) = made {
        driver.execute(made).await.map_err(|failure| refused(into, failure))?;
    }
    let mut reading = Reading::open(path).map_err(|error| unreadable(path, &error))?;
    let columns: Vec<_> = reading.header.columns.iter().map(|c| driver.dialect().quote(&c.name)).collect();
    let begin = format!("INSERT INTO {} ({}) VALUES\n", driver.dialect().path(into), columns.join(", "));
    let (mut rows, mut sql) = (0, begin.clone());
    loop {
        let row = match reading.next_line().map_err(|error| unreadable(path, &error))? {
            Line::Row(row) => Some(row),
            Line::End(_) => None,
        };
        let full = rows >= ROWS || sql.len() >= BYTES;
        if rows > 0 && (full || row.is_none()) {
            driver.execute(&Statement::new(&sql)).await.map_err(|failure| refused(into, failure))?;
            (rows, sql) = (0, begin.clone());
        }
        let Some(row) = row else { return Ok(()) };
        sql.push_str(if rows > 0 { ",\n(" } else { "(" });
        sql.push_str(&row.join(", "));
        sql.push(')');
        rows += 1;
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Stop {
    Stop::Unrestored { says: format!("{}: {error}", path.display()) }
}

fn refused(into: &Qualified, failure: Failure) -> Stop {
    match failure {
        Failure::Refused { says, .. } => Stop::Unrestored { says: format!("{into} cannot be made: {says}") },
        other => other.into(),
    }
}
