//! `mig import`: specs from a live database.

use std::path::PathBuf;

use crate::{
    commands::wait,
    exit::{Outcome, Reason, Trouble},
    files,
    project::Project,
    target::Where,
    terminal, wiring,
};

/// Read a live schema and write specs that declare it, as a person would have written them. Compiling them gives an empty plan.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    from: Where,
    /// The folder for the specs [default: specs of mig.toml, or ./specs]
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
    /// Replace specs that are there already
    #[arg(long)]
    force: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let folder = args.specs.clone().unwrap_or_else(|| project.specs());
    let there = if folder.is_dir() { files::below(&folder, ".toml")? } else { Vec::new() };
    if let (Some(one), false) = (there.first(), args.force) {
        return Err(Trouble::new(Reason::Input, format!("there are specs already: {}", one.display()))
            .untouched("nothing was written, and no database was read")
            .next("give --specs with an empty folder, or --force to replace files of the same name"));
    }
    let database = args.from.find(&project)?;
    let snapshot = wait(wiring::pull(&database))?;
    let specs = wiring::import(&snapshot)?;
    let count = specs.len();
    for spec in specs {
        files::write(&folder.join(&spec.path), spec.text.as_bytes())?;
    }
    let found = snapshot.schema.0.objects.len();
    let (files, objects) = (if count == 1 { "file" } else { "files" }, if found == 1 { "object" } else { "objects" });
    terminal::say(&format!("wrote {count} {files} to {} for {found} {objects} of {database}", folder.display()));
    Ok(Outcome::Done)
}
