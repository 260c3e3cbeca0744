//! `mig completions`: completion scripts.

use clap::CommandFactory as _;

use crate::{
    cli::Cli,
    exit::{Outcome, Trouble},
    terminal,
};

/// Print a completion script for a shell.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mig", &mut script);
    terminal::say_bytes(&script);
    Ok(Outcome::Done)
}
