//! `mig restore`: the rows of a backup in a new table.

use std::path::PathBuf;

use mig_plan::{Name, Qualified, split_path};

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    target::Where,
    terminal,
};

/// Put the rows of a backup into a new table. The file is read to its end and its hash compared before anything is written; then the
/// table is made, with its columns and nothing else, and filled in one transaction. Keys, indexes and the rest are what the specs say:
/// mig plan makes them. The table of the backup is never written to if it is there; name another with --as.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The backup: a file of artifacts/runs/RUN/00-backup
    backup: PathBuf,
    #[command(flatten)]
    to: Where,
    /// The name of the new table [default: that of the table in the backup]
    #[arg(long = "as", value_name = "TABLE", value_parser = table)]
    into: Option<Qualified>,
    /// Only read the file to its end; no database is needed
    #[arg(long)]
    check: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

fn table(path: &str) -> Result<Qualified, String> {
    let names: Vec<Name> = split_path(path).map_err(|error| error.to_string())?;
    match <[Name; 2]>::try_from(names) {
        Ok([schema, name]) => Ok(Qualified::new(Some(schema), name)),
        Err(names) => match <[Name; 1]>::try_from(names) {
            Ok([name]) => Ok(Qualified::new(None, name)),
            Err(_) => Err("write NAME or SCHEMA.NAME".to_owned()),
        },
    }
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let (header, trailer) = operate::check_backup(&args.backup)?;
    let columns: Vec<_> = header.columns.iter().map(|column| column.name.to_string()).collect();
    terminal::note(&format!(
        "backup of {} ({} rows of {}) from {}, run {}, {}: whole, its hash is {}",
        header.table,
        trailer.rows,
        columns.join(", "),
        header.database,
        header.run,
        header.at,
        trailer.sha256
    ));
    if args.check {
        return Ok(Outcome::Done);
    }
    let database = args.to.find(&Project::find()?)?;
    let into = args.into.clone().unwrap_or_else(|| header.table.clone());
    terminal::confirm(&format!("Make the table {into} of it in {database}?"), args.yes)?;
    let (into, rows) = wait(operate::restore(&database, &args.backup, into))?;
    terminal::say(&format!("restored {rows} rows into {into}"));
    Ok(Outcome::Done)
}
