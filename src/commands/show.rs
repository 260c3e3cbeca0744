//! `mig show`: a plan for people.

use std::path::PathBuf;

use crate::{
    exit::{Outcome, Trouble},
    plan_file,
    rendering::{self, Format},
    spec_files, terminal,
};

/// Print a plan: what it does, why, what it locks, and what could go wrong.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan file
    plan: PathBuf,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The folder of the specs that the plan was made from: findings then point into them, not into the plan
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
    /// Show lock, SQL and undo of every step
    #[arg(long, short)]
    verbose: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let file = plan_file::read(&args.plan)?;
    let specs = args.specs.as_deref().map(spec_files::read).transpose()?;
    let spots = rendering::spots(args.format, &file.plan, specs.as_deref(), Some(&args.plan))?;
    terminal::say(rendering::rendered(&file.plan, args.format, args.verbose, &spots).trim_end());
    Ok(Outcome::Done)
}
