//! The terminal: colours only where they belong, questions only where somebody can answer.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process,
};

use crate::exit::{Reason, Trouble};

/// The widest text, in columns, whatever the terminal offers.
const WIDEST: u16 = 120;

/// Prints a line to standard output. A reader that went away ends the command quietly.
pub(crate) fn say(line: &str) {
    say_raw(&format!("{line}\n"));
}

/// Prints text to standard output as it is.
pub(crate) fn say_raw(text: &str) {
    let mut out = anstream::stdout();
    give_up_quietly(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Prints bytes to standard output, colours included or not.
pub(crate) fn say_bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    give_up_quietly(out.write_all(bytes).and_then(|()| out.flush()));
}

/// Prints text to standard error; nothing can be said about a failure of that.
pub(crate) fn complain(text: &str) {
    drop(anstream::stderr().write_all(text.as_bytes()));
}

/// Prints a line of advice to standard error.
pub(crate) fn note(line: &str) {
    complain(&format!("{line}\n"));
}

fn give_up_quietly(result: io::Result<()>) {
    match result {
        Ok(()) => {}
        // As a program that SIGPIPE ends: the shell's convention is 128 + 13.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(141),
        Err(error) => {
            complain(&format!("error: cannot write to standard output: {error}\n"));
            process::exit(i32::from(crate::exit::ERROR));
        }
    }
}

/// Whether standard output may have colours: a terminal, without NO_COLOR.
pub(crate) fn colours() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Whether standard error is a terminal that takes colours.
pub(crate) fn error_colours() -> bool {
    io::stderr().is_terminal() && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Whether standard error is a terminal.
pub(crate) fn watched() -> bool {
    io::stderr().is_terminal()
}

/// The columns that text may use.
pub(crate) fn width() -> usize {
    let term = console::Term::stdout();
    let columns = if term.is_term() { term.size().1 } else { 100 };
    usize::from(columns.clamp(40, WIDEST))
}

/// Whether somebody can be asked.
fn answers() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether to go on; refuses where nobody can answer. `yes` has answered already.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Trouble> {
    if yes {
        return Ok(());
    }
    if !answers() {
        return Err(Trouble::new(Reason::Usage, format!("{question} Nobody can answer: this is not a terminal"))
            .untouched("nothing was done")
            .next("give --yes to go on without being asked"));
    }
    complain(&format!("{question} [y/N] "));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Trouble::new(Reason::Usage, "you did not answer yes").untouched("nothing was done"))
}

/// Asks for a passphrase without showing it; `None` where nobody can answer.
pub(crate) fn passphrase(question: &str) -> Option<zeroize::Zeroizing<String>> {
    if !answers() {
        return None;
    }
    complain(question);
    let typed = console::Term::stderr().read_secure_line().ok()?;
    Some(zeroize::Zeroizing::new(typed))
}
