//! `mig explain`: the page of a code.

use crate::{
    exit::{Outcome, Reason, Trouble},
    pages, terminal,
};

/// Say what a code means: what happens, for whom and how long, what mig does about it, and what to check.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The code, such as MIG-H001; without one, all are listed
    code: Option<String>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let Some(wanted) = &args.code else {
        pages::ALL.iter().for_each(|page| terminal::say(&format!("{}  {}", page.code, page.title())));
        return Ok(Outcome::Done);
    };
    match pages::find(wanted) {
        Some(page) => {
            terminal::say(page.text.trim_end());
            Ok(Outcome::Done)
        }
        None => Err(Trouble::new(Reason::Usage, format!("there is no code `{wanted}`"))
            .next("mig explain, without a code, lists them all")),
    }
}
