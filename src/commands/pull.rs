//! `mig pull`: a live schema as a snapshot file.

use std::path::PathBuf;

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    files,
    project::Project,
    target::Where,
    terminal, wiring,
};

/// Read a live schema and write it to a snapshot file, against which `mig plan --live` compiles without a database.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    from: Where,
    /// The snapshot file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let database = args.from.find(&project)?;
    let snapshot = wait(wiring::pull(&database))?;
    files::write(&args.out, &snapshot.to_bytes())?;
    let objects = snapshot.schema.0.objects.len();
    terminal::say(&format!("wrote {} with {objects} objects of {database}", args.out.display()));
    Ok(Outcome::Done)
}
