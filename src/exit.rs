//! How the command ends: its exit codes, and the shape of every error message.

use std::{fmt::Write as _, io};

use anstyle::{AnsiColor, Style};

use crate::{finding::Shown, terminal};

/// The exit code of any other error.
pub(crate) const ERROR: u8 = 1;
/// The exit code of a wrong command line.
pub(crate) const USAGE: u8 = 64;

/// How a command ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, or nothing to do.
    Done,
    /// The plan has changes, and the caller asked to be told by the exit code.
    Changes,
}

/// Why a command did not end well, as far as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A file that is not what it should be, or cannot be read or written.
    Input,
    /// The specs are invalid.
    Specs,
    /// The database cannot be reached or read.
    Database,
    /// Our own bug.
    Internal,
    /// Signatures or policy do not admit the plan.
    Policy,
    /// The plan is not what the specs compile to now.
    NotCurrent,
    /// The database is not where the plan begins, nor on its way.
    Drift,
    /// A step or check failed; what is applied stands.
    Failed,
    /// Nobody can tell what happened.
    Unknown,
    /// Another executor holds the lock.
    Locked,
    /// A wrong command line, or a question that nobody could answer.
    Usage,
}

/// The exit code of a result: the one list of them.
pub(crate) fn code(result: &Result<Outcome, Reason>) -> u8 {
    match result {
        Ok(Outcome::Done) => 0,
        Err(Reason::Input | Reason::Specs | Reason::Database | Reason::Internal) => ERROR,
        Ok(Outcome::Changes) => 2,
        Err(Reason::Policy | Reason::NotCurrent) => 3,
        Err(Reason::Drift) => 4,
        Err(Reason::Failed) => 5,
        Err(Reason::Unknown) => 6,
        Err(Reason::Locked) => 7,
        Err(Reason::Usage) => USAGE,
    }
}

/// An error as a person reads it: what happened, what was not touched, what to do next.
#[derive(Debug)]
pub(crate) struct Trouble {
    reason: Reason,
    says: String,
    untouched: Option<String>,
    next: Vec<String>,
    findings: Vec<Shown>,
}

impl Trouble {
    /// An error. `says` is a lower-case fragment, of several lines where it must be.
    pub(crate) fn new(reason: Reason, says: impl Into<String>) -> Self {
        Self { reason, says: says.into(), untouched: None, next: Vec::new(), findings: Vec::new() }
    }

    /// What was left as it was, as a fragment.
    #[must_use]
    pub(crate) fn untouched(mut self, what: impl Into<String>) -> Self {
        self.untouched = Some(what.into());
        self
    }

    /// What to do next, as a fragment.
    #[must_use]
    pub(crate) fn next(mut self, what: impl Into<String>) -> Self {
        self.next.push(what.into());
        self
    }

    /// Findings in files, shown before the message.
    #[must_use]
    pub(crate) fn findings(mut self, findings: Vec<Shown>) -> Self {
        self.findings = findings;
        self
    }

    /// A file that could not be read or written.
    pub(crate) fn file(verb: &str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::new(Reason::Input, format!("cannot {verb} {}: {error}", path.display()))
    }

    /// What the exit code is made from.
    pub(crate) fn kind(self) -> Reason {
        self.reason
    }

    /// Prints it to standard error.
    pub(crate) fn show(&self) {
        for finding in &self.findings {
            finding.show();
        }
        let mut text = String::new();
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let bold = Style::new().bold();
        let says = self.says.replace('\n', "\n  ");
        let prefix = match self.reason {
            Reason::Internal => "internal error, please report: ",
            _ => "",
        };
        writeln!(text, "{red}error:{red:#} {prefix}{says}").expect("writing to a string cannot fail");
        if let Some(what) = &self.untouched {
            writeln!(text, "  {what}").expect("writing to a string cannot fail");
        }
        for next in &self.next {
            writeln!(text, "  {bold}next:{bold:#} {next}").expect("writing to a string cannot fail");
        }
        terminal::complain(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_and_refusals_differ() {
        assert_eq!(code(&Err(Reason::Usage)), 64);
        assert_eq!(code(&Err(Reason::Policy)), 3);
        assert_eq!(code(&Ok(Outcome::Changes)), 2);
    }
}
