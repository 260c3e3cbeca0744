//! `mig doctor`: a database, looked over.

use mig_executor::doctor::{Symptom, Weight};
use serde_json::json;

use crate::{
    commands::wait,
    exit::{Outcome, Reason, Trouble},
    operate,
    project::Project,
    target::Where,
    terminal,
};

/// Look a database over: connection, rights, version, proxies in between, settings, mig's own tables, and what earlier runs or other tools
/// left behind. Says what to do about each; exits with 1 if something is wrong. Nothing is changed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Where,
    /// Print one JSON object for each thing found
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    let found = wait(operate::doctor(&database))?;
    for symptom in &found {
        terminal::say(&if args.json { json!(symptom).to_string() } else { words(symptom) });
    }
    match found.iter().filter(|symptom| symptom.weight == Weight::Wrong).count() {
        0 => Ok(Outcome::Done),
        count => {
            let things = if count == 1 { "1 thing is".to_owned() } else { format!("{count} things are") };
            Err(Trouble::new(Reason::Database, format!("{things} wrong with {database}"))
                .untouched("nothing was changed"))
        }
    }
}

fn words(symptom: &Symptom) -> String {
    let mark = match symptom.weight {
        Weight::Fine => "ok",
        Weight::Advice => "advice",
        Weight::Wrong => "wrong",
    };
    let next = symptom.next.as_ref().map(|next| format!("\n        next: {next}")).unwrap_or_default();
    format!("{mark:<7} {}: {}{next}", symptom.topic, symptom.says)
}
