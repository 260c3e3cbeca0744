//! `mig man`: manual pages.

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::{
    cli::Cli,
    exit::{Outcome, Reason, Trouble},
    files, terminal,
};

/// Print the manual page, or write one page for each command into a folder.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder for all pages
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.out else {
        terminal::say_bytes(&page(command)?);
        return Ok(Outcome::Done);
    };
    for sub in command.get_subcommands() {
        let name = format!("mig-{}", sub.get_name());
        files::write(&folder.join(format!("{name}.1")), &page(sub.clone())?)?;
    }
    files::write(&folder.join("mig.1"), &page(command)?)?;
    terminal::say(&format!("wrote the manual pages to {}", folder.display()));
    Ok(Outcome::Done)
}

fn page(command: clap::Command) -> Result<Vec<u8>, Trouble> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| Trouble::new(Reason::Internal, format!("cannot render a manual page: {error}")))?;
    Ok(text)
}
