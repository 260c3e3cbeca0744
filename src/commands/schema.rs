//! `mig schema`: the JSON Schema of spec files.

use crate::{
    exit::{Outcome, Trouble},
    terminal, wiring,
};

/// Print the JSON Schema of spec files, so that editors complete and check them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs it.
pub(crate) fn run(_: &Args) -> Result<Outcome, Trouble> {
    terminal::say(wiring::json_schema().trim_end());
    Ok(Outcome::Done)
}
