//! `mig plan`: specs and a live schema into a plan file.

use std::path::{Path, PathBuf};

use mig_compiler::{
    Diagnostic, Severity, SpecFile,
    explain::{self, empty},
};
use mig_plan::{Plan, Snapshot};
use serde_json::json;

use crate::{
    commands::sign,
    exit::{Outcome, Reason, Trouble},
    files, junit,
    project::Project,
    rendering::{self, Format},
    spec_files,
    target::Where,
    terminal, wiring,
};

/// Compile the specs against a live schema into one plan. The same inputs give the same bytes on every machine.
/// Nothing is changed in the database.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    against: Where,
    /// Compile against a snapshot file instead of a database
    #[arg(long, value_name = "SNAPSHOT", conflicts_with = "url")]
    live: Option<PathBuf>,
    /// The folder of the specs [default: specs of mig.toml, or ./specs]
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
    /// Write the plan to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print one JSON object about the outcome instead
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Show the SQL of every step
    #[arg(long, short)]
    verbose: bool,
    /// Exit with 2 if the plan has changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Write nothing; exit with 3 unless FILE is exactly this plan
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    check: Option<PathBuf>,
    /// Write the outcome of --check to this file as a JUnit report
    #[arg(long, value_name = "FILE", requires = "check")]
    junit: Option<PathBuf>,
    /// Sign the plan that is written
    #[arg(long, requires = "out")]
    sign: bool,
    /// The key to sign with [default: ~/.ssh/id_ed25519]
    #[arg(long, value_name = "FILE", requires = "sign")]
    key: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let specs = args.specs.clone().unwrap_or_else(|| project.specs());
    let (plan, specs) = compiled(&project, &args.against, args.live.as_deref(), &specs, args.verbose)?;
    if let Some(file) = &args.check {
        let checked = current(&plan, file)?;
        if let Some(report) = &args.junit {
            let outcome = match &checked {
                Ok(Current) => junit::Outcome::Passed,
                Err(stale) => junit::Outcome::Failed { says: stale.says.clone(), text: stale.difference.clone() },
            };
            let name = format!("{} is what the specs compile to", file.display());
            junit::write(report, "mig plan --check", &[junit::Case { name, outcome }])?;
        }
        return match checked {
            Ok(Current) => {
                terminal::say(&format!("{} is current", file.display()));
                Ok(Outcome::Done)
            }
            Err(stale) => Err(stale.trouble(file)),
        };
    }
    let written = write(args, &plan)?;
    if args.json {
        let object = json!({
            "changes": !plan.steps.is_empty(), "class": plan.class(), "summary": plan.summary,
            "base": plan.base, "goal": plan.goal, "plan": plan.digest(), "file": written,
        });
        terminal::say(&object.to_string());
    } else if plan.steps.is_empty() && args.format == Format::Text {
        terminal::say("no changes: the database is what the specs say");
    } else {
        let spots = rendering::spots(args.format, &plan, Some(&specs), args.out.as_deref())?;
        terminal::say(rendering::rendered(&plan, args.format, args.verbose, &spots).trim_end());
    }
    tell(args, &project, &plan, written);
    if let (true, Some(file)) = (args.sign, written) {
        sign::sign(file, args.key.as_deref())?;
    }
    Ok(if args.detailed_exitcode && !plan.steps.is_empty() { Outcome::Changes } else { Outcome::Done })
}

/// Compiles the specs of a folder; prints notes; gives the specs with the plan. About what is done already there is only a line, unless all is asked for.
pub(crate) fn compiled(
    project: &Project,
    against: &Where,
    live: Option<&Path>,
    specs: &Path,
    verbose: bool,
) -> Result<(Plan, Vec<SpecFile>), Trouble> {
    let specs = spec_files::read(specs)?;
    let (intent, snapshot) = match live {
        Some(file) => {
            let snapshot = Snapshot::from_bytes(&files::read(file)?)
                .map_err(|says| Trouble::new(Reason::Input, format!("{} cannot be used: {says}", file.display())))?;
            (wiring::intent(&specs, wiring::dialect(&snapshot)?.as_ref())?, snapshot)
        }
        None => wiring::intent_and_pull(&specs, &against.find(project)?)?,
    };
    let compiled = wiring::compile(&specs, &intent, &snapshot, against.target.as_deref())?;
    let (mut loud, mut quiet) = (compiled.notes, Vec::new());
    if compiled.plan.steps.is_empty() && !verbose {
        (quiet, loud) = loud.into_iter().partition(|note| note.severity == Severity::Note);
    }
    let silenced = if verbose { Vec::new() } else { silence(&mut loud) };
    for note in spec_files::shown(&loud, &specs) {
        note.show();
    }
    for (code, more) in silenced {
        terminal::note(&format!("{more} more of {code}: mig plan --verbose"));
    }
    if !quiet.is_empty() {
        let notes = if quiet.len() == 1 { "1 note".to_owned() } else { format!("{} notes", quiet.len()) };
        terminal::note(&format!("{notes} on what is done already: mig plan --verbose"));
    }
    Ok((compiled.plan, specs))
}

/// Leaves a few notes of each code: hundreds of the same kind hide the plan. Gives how many of which code went.
fn silence(notes: &mut Vec<Diagnostic>) -> Vec<(&'static str, usize)> {
    const SHOWN: usize = 5;
    let mut seen: Vec<(&'static str, usize)> = Vec::new();
    notes.retain(|note| {
        if note.severity != Severity::Note {
            return true;
        }
        let at = seen.iter().position(|(code, _)| *code == note.code).unwrap_or_else(|| {
            seen.push((note.code, 0));
            seen.len() - 1
        });
        seen[at].1 += 1;
        seen[at].1 <= SHOWN
    });
    seen.into_iter().filter(|(_, n)| *n > SHOWN).map(|(code, n)| (code, n - SHOWN)).collect()
}

/// A plan without steps is no file.
fn write<'a>(args: &'a Args, plan: &Plan) -> Result<Option<&'a Path>, Trouble> {
    match &args.out {
        Some(file) if !plan.steps.is_empty() => {
            files::write(file, &plan.to_bytes())?;
            Ok(Some(file))
        }
        _ => Ok(None),
    }
}

fn tell(args: &Args, project: &Project, plan: &Plan, written: Option<&Path>) {
    match (written, &args.out) {
        (Some(file), _) => terminal::note(&format!("wrote {} ({})", file.display(), plan.digest())),
        (None, Some(file)) if file.exists() => {
            terminal::note(&format!("nothing was written; {} is an earlier plan", file.display()));
        }
        (None, Some(_)) => terminal::note("nothing was written"),
        (None, None) if plan.steps.is_empty() || args.json => {}
        (None, None) => {
            let file = project.plans().join("NAME.json");
            terminal::note(&format!("nothing was written: --out {} writes the plan", file.display()));
        }
    }
}

/// The answer that a file is exactly the plan of the specs.
struct Current;

/// Why a file is not the plan of the specs.
struct Stale {
    says: String,
    difference: String,
}

impl Stale {
    fn trouble(&self, file: &Path) -> Trouble {
        terminal::say_raw(&self.difference);
        Trouble::new(Reason::NotCurrent, &self.says)
            .untouched("nothing was written")
            .next(format!("mig plan --out {} writes the plan of the specs as they are", file.display()))
    }
}

/// Whether a file is exactly this plan; the target's name does not count.
fn current(plan: &Plan, file: &Path) -> Result<Result<Current, Stale>, Trouble> {
    if !file.exists() {
        let says = format!("there is no {}, and the specs have changes", file.display());
        let stale = || Stale { says, difference: explain::compare(&empty(plan), plan).both() };
        return Ok(if plan.steps.is_empty() { Ok(Current) } else { Err(stale()) });
    }
    let there = files::read(file)?;
    let old = Plan::from_bytes(&there);
    let mut plan = plan.clone();
    plan.target.name = old.as_ref().ok().and_then(|old| old.target.name.clone());
    let bytes = plan.to_bytes();
    if bytes == there {
        return Ok(Ok(Current));
    }
    let name = file.display();
    let difference = match &old {
        Ok(old) => explain::compare(old, &plan).both(),
        Err(why) => {
            let (old, new) = (String::from_utf8_lossy(&there), String::from_utf8_lossy(&bytes));
            let diff = similar::TextDiff::from_lines(old.as_ref(), new.as_ref());
            let lines = diff.unified_diff().header(&name.to_string(), "what the specs compile to now").to_string();
            format!("{name} is no plan: {why}\n{lines}")
        }
    };
    Ok(Err(Stale { says: format!("{name} is not what the specs compile to now"), difference }))
}
