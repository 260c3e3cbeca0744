//! `mig accept`: another spelling, taken on a person's word.

use std::path::PathBuf;

use mig_plan::Address;

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    spec_files,
    target::Where,
    terminal,
};

/// Say that an object of the database means what the specs say of it, although mig cannot tell from the spelling (MIG-H025).
/// Shows both spellings first. Your word is kept in the database and holds until either text changes. Nothing else is changed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The object, as messages name it: "view public.active_users"
    address: Address,
    #[command(flatten)]
    of: Where,
    /// The folder of the specs [default: specs of mig.toml, or ./specs]
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let specs = spec_files::read(&args.specs.clone().unwrap_or_else(|| project.specs()))?;
    let database = args.of.find(&project)?;
    let ask = |pairs: &str| {
        terminal::note(pairs.trim_end());
        terminal::confirm(&format!("Do both mean the same in {}?", args.address), args.yes)
    };
    terminal::say(&wait(operate::accept(&database, &specs, &args.address, ask))?);
    Ok(Outcome::Done)
}
