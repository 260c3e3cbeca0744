//! `mig show`: a plan for people.

use std::path::PathBuf;

use crate::{
    commands::plan::{Format, rendered},
    exit::{Outcome, Trouble},
    plan_file, terminal,
};

/// Print a plan: what it does, why, what it locks, and what could go wrong.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan file
    plan: PathBuf,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Show the SQL of every step
    #[arg(long, short)]
    verbose: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let file = plan_file::read(&args.plan)?;
    terminal::say(rendered(&file.plan, args.format, args.verbose).trim_end());
    Ok(Outcome::Done)
}
