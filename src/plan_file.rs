//! Plan files: reading them strictly, and saying what is wrong.

use std::path::Path;

use mig_plan::{BadPlan, Plan};

use crate::{
    exit::{Reason, Trouble},
    files,
};

/// A plan file: its exact bytes, which signatures are over, and what they say.
pub(crate) struct PlanFile {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// The plan.
    pub(crate) plan: Plan,
}

/// Reads a plan file. It is refused unless its bytes are exactly what mig writes for its content.
pub(crate) fn read(path: &Path) -> Result<PlanFile, Trouble> {
    let bytes = files::read(path)?;
    let plan = Plan::from_bytes(&bytes).map_err(|error| {
        let next = match error {
            BadPlan::Format(_) => "install the mig that wrote it, or plan again with this one",
            _ => "take the file as it was signed from version control, or plan again",
        };
        Trouble::new(Reason::Input, format!("{} cannot be used: {error}", path.display()))
            .untouched("no database was touched")
            .next(next)
    })?;
    Ok(PlanFile { bytes, plan })
}
