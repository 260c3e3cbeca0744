//! Puts the rows of a backup into a new table.

use std::{io, path::Path};

use mig_plan::{Fingerprint, Limits, Name, Qualified, Statement};

use crate::{
    driver::Driver,
    evidence::{Header, Line, Reading, Trailer},
    failure::Failure,
    report::Report,
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
pub async fn restore(
    driver: &mut dyn Driver,
    path: &Path,
    into: &Qualified,
    report: &mut dyn Report,
) -> Result<u64, Stop> {
    // Everything is read once before anything is written.
    let (header, trailer) = check(path)?;
    let engine = driver.dialect().engine();
    if header.engine != engine {
        let says = format!("{} is of a {} database, this one is {engine}", path.display(), header.engine);
        return Err(Stop::Unrestored { says });
    }
    driver.writable().await?.map_err(|says| Stop::ReadOnly { says })?;
    report.crossing("restore/read");
    if driver.undoes_ddl() {
        at_once(driver, path, (into, &header), report).await?;
    } else {
        aside(driver, path, (into, &header), report).await?;
    }
    report.crossing("restore/done");
    Ok(trailer.rows)
}

/// Makes the table and fills it in one transaction.
async fn at_once(
    driver: &mut dyn Driver,
    path: &Path,
    (into, header): (&Qualified, &Header),
    report: &mut dyn Report,
) -> Result<(), Stop> {
    driver.begin(&LIMITS).await?;
    let made = driver.dialect().plain_table(into, &header.columns);
    let filled = match driver.execute(&made).await {
        Ok(_) => fill(driver, path, into, report).await,
        Err(failure) => Err(refused(into, failure)),
    };
    if let Err(stop) = filled {
        driver.rollback().await?;
        return Err(stop);
    }
    report.crossing("restore/before-commit");
    Ok(driver.commit().await?)
}

/// Fills a table under a name of mig's own, where tables come outside of transactions, and gives it its name when it is whole.
async fn aside(
    driver: &mut dyn Driver,
    path: &Path,
    (into, header): (&Qualified, &Header),
    report: &mut dyn Report,
) -> Result<(), Stop> {
    let said = |driver: &dyn Driver, at: &Qualified| driver.dialect().path(at);
    let there = format!("SELECT 1 FROM {} LIMIT 1", said(driver, into));
    if driver.ask(&Statement::new(there), 1).await.is_ok() {
        return Err(Stop::Unrestored { says: format!("{into} cannot be made: it is there already") });
    }
    let mark = Fingerprint::of_bytes(into.to_string().as_bytes());
    let other = into.sibling(
        Name::new(format!("_mig_restore_{}", mark.short(8)))
            .map_err(|error| Stop::Unrestored { says: format!("{into} cannot be made: {error}") })?,
    );
    // What a restore that was killed has left.
    let gone = Statement::new(format!("DROP TABLE IF EXISTS {}", said(driver, &other)));
    let made = driver.dialect().plain_table(&other, &header.columns);
    let named = Statement::new(format!("ALTER TABLE {} RENAME TO {}", said(driver, &other), said(driver, into)));
    driver.execute_alone(&gone, &LIMITS).await.map_err(|failure| refused(into, failure))?;
    driver.execute_alone(&made, &LIMITS).await.map_err(|failure| refused(into, failure))?;
    report.crossing("restore/made");
    driver.begin(&LIMITS).await?;
    let filled = match fill(driver, path, &other, report).await {
        Ok(()) => {
            report.crossing("restore/before-commit");
            driver.commit().await?;
            report.crossing("restore/after-commit");
            driver.execute_alone(&named, &LIMITS).await.map(drop).map_err(|failure| refused(into, failure))
        }
        Err(stop) => {
            driver.rollback().await?;
            Err(stop)
        }
    };
    if filled.is_err() {
        driver.execute_alone(&gone, &LIMITS).await?;
    }
    filled
}

async fn fill(driver: &mut dyn Driver, path: &Path, into: &Qualified, report: &mut dyn Report) -> Result<(), Stop> {
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
            report.crossing("restore/rows");
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
