//! What a user sees when mig itself is wrong: never a panic's own words alone.

use std::{panic, process};

use crate::{exit, terminal};

/// From here on a panic in any thread says that it is our bug, and ends the process with an exit code of ours. A run that was under
/// way can be taken up again, as after any other crash.
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|info| {
        let what = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        terminal::complain(&format!(
            "error: internal error, please report: {what} (mig {} at {place})\n  \
             a run that was under way stands where its last step ended: the same command takes it up again\n",
            env!("CARGO_PKG_VERSION"),
        ));
        process::exit(i32::from(exit::ERROR));
    }));
}
