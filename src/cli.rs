//! The command line: what each word is called, and nothing else.

use clap::{Parser, Subcommand};

use crate::commands;

/// Declare the schema you want; plan, review, sign and apply the way there.
///
/// Specs are TOML files. `mig plan` compiles them against the live schema into one plan file, which people read and sign with their
/// SSH keys; `mig apply` carries out exactly what was signed, and can be killed and run again at any point.
#[derive(Parser, Debug)]
#[command(name = "mig", version, disable_help_subcommand = true, after_help = EXITS)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Printed below the list of commands.
const EXITS: &str = "\
Exit codes:
  0  done, or nothing to do       1  error
  2  the plan has changes         3  refused by policy, or the plan is not current
  4  the database has drifted     5  a step or check failed; run again to go on
  6  outcome unknown              7  another executor holds the lock
  64 wrong usage, or a question that nobody could answer";

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Start a project here: mig.toml, specs/, plans/
    Init(commands::init::Args),
    /// Write specs from a live database
    Import(commands::import::Args),
    /// Write a live schema to a snapshot file
    Pull(commands::pull::Args),
    /// Check specs without a database
    Validate(commands::validate::Args),
    /// Put specs into the usual layout; comments stay
    Fmt(commands::fmt::Args),
    /// Print the JSON Schema of spec files or of mig.toml, for editors
    Schema(commands::schema::Args),
    /// Compile specs into a plan
    Plan(commands::plan::Args),
    /// Print a plan for people
    Show(commands::show::Args),
    /// Compare two plans
    Diff(commands::diff::Args),
    /// Say what a code such as MIG-H001 means
    Explain(commands::explain::Args),
    /// Look through source files for names that a plan takes away
    Scan(commands::scan::Args),
    /// Sign a plan with an SSH key
    Sign(commands::sign::Args),
    /// Check a plan's signatures
    Verify(commands::verify::Args),
    /// Apply a signed plan, or go on with it
    Apply(commands::apply::Args),
    /// Take a run back
    Rollback(commands::rollback::Args),
    /// Let a run that is under way wait
    Pause(commands::pause::Args),
    /// Let a paused run go on
    Resume(commands::resume::Args),
    /// End the executor of a run in order
    Stop(commands::stop::Args),
    /// Say where a database stands
    Status(commands::status::Args),
    /// List what was done in a database
    History(commands::history::Args),
    /// Prove that a database's journal is as it was written, or export it
    Audit(commands::audit::Args),
    /// List the rows that a run's transforms rejected
    Rejects(commands::rejects::Args),
    /// Put the rows of a backup into a new table
    Restore(commands::restore::Args),
    /// Say how a database differs from the specs
    Drift(commands::drift::Args),
    /// Say that another spelling in the database means what the specs say
    Accept(commands::accept::Args),
    /// Look a database over and say what to do
    Doctor(commands::doctor::Args),
    /// Drop for good what old runs kept for their rollback
    Gc(commands::gc::Args),
    /// Print a completion script for a shell
    Completions(commands::completions::Args),
    /// Print or write the manual pages
    Man(commands::man::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    fn section(heading: &str, command: &mut clap::Command) -> String {
        let help = command.render_long_help().to_string();
        let help: String = help.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        format!("\n{heading} {}\n\n```text\n{}\n```\n", command.get_name(), help.trim_end())
    }

    #[test]
    fn the_reference_is_what_help_says() {
        let mut page =
            "# Commands\n\n<!-- Made from the command line's definition by a test; MIG_BLESS=1 writes it anew. -->\n"
                .to_owned();
        let mut command = Cli::command().term_width(100);
        command.build();
        let help = command.render_long_help().to_string();
        page.push_str(&format!("\n```text\n{}\n```\n", help.trim_end()));
        for sub in command.get_subcommands_mut() {
            page.push_str(&section("## mig", sub));
            let name = format!("### mig {}", sub.get_name());
            sub.get_subcommands_mut().for_each(|one| page.push_str(&section(&name, one)));
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/commands.md");
        if std::env::var_os("MIG_BLESS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(published == page, "docs/reference/commands.md is stale: MIG_BLESS=1 writes it anew");
    }
}
