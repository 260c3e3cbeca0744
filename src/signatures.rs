//! The signatures beside a plan, and whether they admit it.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Args;
use mig_executor::sign::{AllowedSigners, Approval, BadLine, Refusal, Revoked, Verdict, Worst, verify};
use mig_plan::Class;

use crate::{
    exit::{Reason, Trouble},
    files,
    plan_file::PlanFile,
    project::Project,
    terminal,
};

/// The options that say who is trusted.
#[derive(Args, Clone, Debug)]
pub(crate) struct Trust {
    /// The file of those who may sign [default: allowed_signers of mig.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// The file of revoked keys [default: revoked of mig.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) revoked: Option<PathBuf>,
}

/// What the signatures beside a plan are worth.
pub(crate) struct Weighed {
    /// One for each signature file.
    pub(crate) verdicts: Vec<Verdict>,
    /// Whether they are enough.
    pub(crate) decision: Result<Approval, Refusal>,
    /// What messages call the file of those who may sign.
    pub(crate) judged_by: String,
}

/// The signature files beside a plan: every `PLAN*.sig`, in order of their names.
pub(crate) fn beside(plan: &Path) -> Result<Vec<(String, Vec<u8>)>, Trouble> {
    let folder = match plan.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = plan.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| Trouble::file("read", folder, &error))? {
        let path = entry.map_err(|error| Trouble::file("read", folder, &error))?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file.starts_with(&name) && file.ends_with(".sig") {
            found.push((file, files::read(&path)?));
        }
    }
    found.sort();
    Ok(found)
}

/// Weighs the signatures beside a plan by the project's policy. Touches no database.
pub(crate) fn weigh(path: &Path, file: &PlanFile, trust: &Trust, project: &Project) -> Result<Weighed, Trouble> {
    let worst = worst(file.plan.class());
    let named = trust.allowed_signers.clone().or_else(|| project.allowed_signers());
    let (allowed, judged_by) = match &named {
        Some(path) => {
            let allowed = AllowedSigners::parse(&files::read_text(path)?, &path.display().to_string())
                .map_err(|bad| unreadable("the allowed signers", &bad))?;
            (allowed, path.display().to_string())
        }
        None if project.policy().needed(worst) == 0 => (AllowedSigners::default(), "nobody".to_owned()),
        None => {
            return Err(Trouble::new(Reason::Policy, "a plan needs a signature, and nothing says who may sign")
                .untouched("no database was touched")
                .next("give --allowed-signers FILE, or set allowed_signers in mig.toml"));
        }
    };
    for line in allowed.ignored() {
        terminal::note(&format!("warning: {line}"));
    }
    let revoked = match trust.revoked.clone().or_else(|| project.revoked()) {
        Some(path) => Revoked::parse(&files::read(&path)?, &path.display().to_string())
            .map_err(|bad| unreadable("the revoked keys", &bad))?,
        None => Revoked::default(),
    };
    let signatures = beside(path)?;
    let verdicts = verify(&file.bytes, &signatures, &allowed, &revoked, SystemTime::now());
    let decision = project.policy().decide(worst, &verdicts);
    Ok(Weighed { verdicts, decision, judged_by })
}

/// Those whose signatures admit a plan; the refusal as an error.
pub(crate) fn admit(path: &Path, file: &PlanFile, trust: &Trust, project: &Project) -> Result<Approval, Trouble> {
    let weighed = weigh(path, file, trust, project)?;
    weighed.decision.map_err(|refusal| refused(path, &refusal))
}

/// A refusal as an error.
pub(crate) fn refused(path: &Path, refusal: &Refusal) -> Trouble {
    let next = match refusal {
        Refusal::Bad { .. } => "remove signatures that are not over this plan, and have it signed again".to_owned(),
        Refusal::TooFew { .. } => format!("have it reviewed and signed: mig sign {}", path.display()),
    };
    Trouble::new(Reason::Policy, format!("{} is not admitted: {refusal}", path.display()))
        .untouched("no database was touched")
        .next(next)
}

/// The classes of plans as the policy names them.
pub(crate) fn worst(class: Class) -> Worst {
    match class {
        Class::Routine => Worst::Routine,
        Class::Warning => Worst::Warning,
        Class::Critical => Worst::Critical,
    }
}

fn unreadable(what: &str, bad: &[BadLine]) -> Trouble {
    let lines: Vec<_> = bad.iter().map(ToString::to_string).collect();
    Trouble::new(Reason::Input, format!("{what} cannot be read:\n{}", lines.join("\n")))
        .untouched("no database was touched: a line that is not understood could be one that forbids")
        .next("correct the lines named above")
}
