//! `mig schema`: the JSON Schemas of the files that people write.

use clap::ValueEnum;

use crate::{
    exit::{Outcome, Trouble},
    project, terminal, wiring,
};

/// Print the JSON Schema of spec files or of mig.toml, so that editors complete and check them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Of which files
    #[arg(value_enum, default_value_t = Of::Specs)]
    of: Of,
}

/// The files that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// Spec files
    Specs,
    /// The project's mig.toml
    Project,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let schema = match args.of {
        Of::Specs => wiring::json_schema(),
        Of::Project => project::json_schema(),
    };
    terminal::say(schema.trim_end());
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::published;

    #[test]
    fn the_published_schema_and_reference_are_current() {
        let schema = wiring::json_schema();
        published("specs/spec.schema.json", &schema);
        let intro = "A spec is a TOML file. How the language is meant is told in [the spec language](../spec-language.md); here is \
                     every key. Any value may also be a choice by engine, a table with a value for each engine's name.";
        published("docs/reference/specs.md", &mig_compiler::reference("Spec files", intro, &schema));
    }
}
