//! Stand-ins for what is not there yet; this file goes when the last of it is.

use mig_compiler::{Diagnostic, SpecFile};
use mig_executor::{Driver, Failure};
use mig_plan::{Dialect, Name, Snapshot};

pub(crate) const SQLITE_SCHEMES: &[&str] = &["sqlite"];

pub(crate) fn dialect(_: &str, _: Option<Name>) -> Box<dyn Dialect> {
    panic!("this engine is not wired")
}

pub(crate) async fn connect(_: &str) -> Result<Box<dyn Driver>, Failure> {
    Err(Failure::broken("this engine is not wired"))
}

pub(crate) fn import(_: &Snapshot, _: &dyn Dialect) -> Vec<SpecFile> {
    panic!("import is not wired")
}

pub(crate) fn fmt(text: &str) -> Result<String, Box<Diagnostic>> {
    Ok(text.to_owned())
}
