//! `mig diff`: what became of a plan.

use std::path::{Path, PathBuf};

use mig_compiler::explain;
use mig_plan::Plan;

use crate::{
    exit::{Outcome, Reason, Trouble},
    files, plan_file, terminal,
};

/// Compare two plans: in words what went, came or changed, and then the lines that differ.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "As a diff driver of git: git config diff.mig.command 'mig diff', and `plans/*.json diff=mig` in .gitattributes."
)]
pub(crate) struct Args {
    /// The plan that was, and the plan that is; or what git gives a diff driver: PATH OLD HEX MODE NEW HEX MODE
    #[arg(required = true, num_args = 2..=9, value_names = ["OLD", "NEW"])]
    plans: Vec<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let (title, old, new) = match args.plans.as_slice() {
        [old, new] => (None, old, new),
        // A rename has two more: the other path, and what git says of it.
        [path, old, _, _, new, _, _] | [path, old, _, _, new, _, _, _, _] => (Some(path), old, new),
        _ => {
            return Err(Trouble::new(Reason::Usage, "two plans are compared, the old one and the new one")
                .next("mig diff OLD NEW"));
        }
    };
    let text = match (read(old)?, read(new)?) {
        (Some(old), Some(new)) => explain::compare(&old, &new).both(),
        (None, Some(new)) => format!("a new plan\n{}", explain::compare(&explain::empty(&new), &new).both()),
        (Some(old), None) => format!("the plan is gone\n{}", explain::compare(&old, &explain::empty(&old)).both()),
        (None, None) => String::new(),
    };
    if let Some(path) = title {
        terminal::say(&format!("plan {}", path.display()));
    }
    terminal::say(if text.is_empty() { "the plans are the same" } else { text.trim_end() });
    Ok(Outcome::Done)
}

/// A plan; none if the file is empty, which is how git says that there is no file.
fn read(path: &Path) -> Result<Option<Plan>, Trouble> {
    if files::read(path)?.is_empty() { Ok(None) } else { Ok(Some(plan_file::read(path)?.plan)) }
}
