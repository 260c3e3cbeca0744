//! `mig fmt`: specs in the usual layout.

use std::path::PathBuf;

use crate::{
    exit::{Outcome, Reason, Trouble},
    files,
    project::Project,
    spec_files, terminal, wiring,
};

/// Put specs into the usual layout. Comments and content stay; a plan of them stays the same to the byte.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The files [default: all of the specs folder]
    files: Vec<PathBuf>,
    /// The folder of the specs [default: specs of mig.toml, or ./specs]
    #[arg(long, value_name = "DIR", conflicts_with = "files")]
    specs: Option<PathBuf>,
    /// Write nothing; exit 1 if a file is not in the usual layout
    #[arg(long)]
    check: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let paths = if args.files.is_empty() {
        let project = Project::find()?;
        files::below(&args.specs.clone().unwrap_or_else(|| project.specs()), ".toml")?
    } else {
        args.files.clone()
    };
    let mut specs = Vec::new();
    for path in &paths {
        specs.push(mig_compiler::SpecFile { path: path.display().to_string(), text: files::read_text(path)? });
    }
    // All are read before one is written: an error in the last leaves the first as it was.
    let (formatted, wrong): (Vec<_>, Vec<_>) = specs.iter().map(wiring::fmt).partition(Result::is_ok);
    let wrong: Vec<_> = wrong.into_iter().filter_map(Result::err).map(|one| *one).collect();
    if !wrong.is_empty() {
        return Err(spec_files::invalid(&wrong, &specs));
    }
    let mut changed = 0;
    for ((path, spec), text) in paths.iter().zip(&specs).zip(formatted.into_iter().filter_map(Result::ok)) {
        if text == spec.text {
            continue;
        }
        changed += 1;
        if args.check {
            terminal::say(&format!("not in the usual layout: {}", spec.path));
        } else {
            files::write(path, text.as_bytes())?;
            terminal::say(&format!("formatted {}", spec.path));
        }
    }
    if args.check && changed > 0 {
        return Err(Trouble::new(
            Reason::Input,
            format!("{changed} of {} files are not in the usual layout", specs.len()),
        )
        .untouched("nothing was written")
        .next("mig fmt"));
    }
    Ok(Outcome::Done)
}
