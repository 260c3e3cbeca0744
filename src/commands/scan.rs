//! `mig scan`: where code still uses names that a plan takes away.

use std::path::PathBuf;

use crate::{
    exit::{Outcome, Reason, Trouble},
    plan_file,
    project::Project,
    scan, terminal,
};

/// Look through source files for names that a plan removes or renames. Exits with 3 while any is left. Touches no database.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files and folders to look through
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The plan file
    #[arg(long, value_name = "PLAN")]
    plan: PathBuf,
    /// Print one JSON object for each place, one a line
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let file = plan_file::read(&args.plan)?;
    let hits = scan::scan(&file.plan, &args.paths, &project)?;
    if hits.is_empty() {
        if !args.json {
            terminal::say("no name is left that the plan takes away");
        }
        return Ok(Outcome::Done);
    }
    if args.json {
        for hit in &hits {
            terminal::say(&serde_json::to_string(hit).expect("a place always encodes"));
        }
    } else {
        terminal::say(&scan::lines(&hits));
    }
    let places = if hits.len() == 1 { "1 place uses".to_owned() } else { format!("{} places use", hits.len()) };
    Err(Trouble::new(Reason::Policy, format!("{places} what the plan takes away"))
        .untouched("no database was touched")
        .next("change that code before the step named; or allow the name under [scan] in mig.toml"))
}
