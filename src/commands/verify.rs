//! `mig verify`: what the signatures beside a plan are worth.

use std::path::PathBuf;

use mig_executor::sign::Verdict;

use crate::{
    exit::{Outcome, Trouble},
    plan_file,
    project::Project,
    signatures::{self, Trust},
    terminal,
};

/// Check the signatures beside a plan (every PLAN*.sig) against the allowed signers and the project's policy. Touches no database.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan file
    plan: PathBuf,
    #[command(flatten)]
    trust: Trust,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let file = plan_file::read(&args.plan)?;
    let weighed = signatures::weigh(&args.plan, &file, &args.trust, &project)?;
    for verdict in &weighed.verdicts {
        terminal::say(&match verdict {
            Verdict::Good { file, principals, fingerprint } => {
                let names: Vec<_> = principals.iter().map(ToString::to_string).collect();
                format!("good     {file}: {} ({fingerprint})", names.join(" or "))
            }
            Verdict::Unknown { file, why, fingerprint } => format!("unknown  {file}: {why} ({fingerprint})"),
            Verdict::Bad { file, why } => format!("bad      {file}: {why}"),
        });
    }
    match weighed.decision {
        Ok(approval) => {
            let worst = signatures::worst(file.plan.class());
            let (needed, got) = (project.policy().needed(worst), approval.signers.len());
            terminal::say(&format!(
                "admitted: the worst step is {worst}, {got} of {needed} needed signers signed, judged by {}",
                weighed.judged_by
            ));
            Ok(Outcome::Done)
        }
        Err(refusal) => Err(signatures::refused(&args.plan, &refusal)),
    }
}
