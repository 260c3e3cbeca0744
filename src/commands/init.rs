//! `mig init`: the files that a project begins with.

use std::path::Path;

use crate::{
    engines,
    exit::{Outcome, Reason, Trouble},
    files, project, terminal,
};

/// Start a project in the current directory: mig.toml, specs/, plans/, .gitattributes, allowed_signers.
/// Files that are there already stay as they are.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The engine of the databases
    #[arg(long, value_name = "ENGINE")]
    engine: String,
    /// Where the URL of the first target comes from: env:NAME, file:PATH, cmd:COMMAND, or a URL without secrets
    #[arg(long, value_name = "URL", default_value = "env:DATABASE_URL")]
    url: String,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let engine = engines::of_name(&args.engine)?;
    if Path::new(project::FILE).exists() {
        return Err(Trouble::new(Reason::Input, "there is a mig.toml here already")
            .untouched("nothing was written")
            .next("edit it, or start in another directory"));
    }
    let url = toml::Value::String(args.url.clone());
    let settings = format!(
        "engine = \"{}\"\nspecs = \"specs\"\nplans = \"plans\"\nallowed_signers = \"allowed_signers\"\n\n\
         [targets.main]\nurl = {url}\n\n\
         # How many distinct people must sign a plan, by its worst step.\n[policy]\nsigners = 1\ncritical = {{ signers = 2 }}\n",
        engine.name
    );
    make(project::FILE, &settings)?;
    make(
        "allowed_signers",
        "# Who may sign plans: PRINCIPAL namespaces=\"mig-plan\" PUBLIC-KEY, one a line, as ssh-keygen(1) describes.\n\
         # alice@example.com namespaces=\"mig-plan\" ssh-ed25519 AAAA...\n",
    )?;
    make(".gitattributes", "# Signatures are over exact bytes.\nplans/** -text\n")?;
    make("specs/.gitkeep", "")?;
    make("plans/.gitkeep", "")?;
    terminal::note("next: mig import writes specs from the database; add your public key to allowed_signers");
    Ok(Outcome::Done)
}

fn make(name: &str, text: &str) -> Result<(), Trouble> {
    let path = Path::new(name);
    if path.exists() {
        terminal::say(&format!("kept  {name}"));
        return Ok(());
    }
    files::write(path, text.as_bytes())?;
    terminal::say(&format!("wrote {name}"));
    Ok(())
}
