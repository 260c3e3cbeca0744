//! The forms in which a plan is printed.

use std::path::Path;

use clap::ValueEnum;
use mig_compiler::{
    SpecFile,
    explain::{self, Spots},
};
use mig_plan::{HazardCode, Plan};

use crate::{engines, exit::Trouble, pages, spec_files, terminal};

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal
    Text,
    /// For a comment on a pull request, within 60,000 characters
    Markdown,
    /// One page that needs nothing else, with the graph of the steps and filters
    Html,
    /// The plan file itself
    Json,
    /// The graph of the steps, for Mermaid
    Mermaid,
    /// The graph of the steps, for Graphviz
    Dot,
    /// The hazards as SARIF 2.1.0, for code scanning
    Sarif,
    /// The hazards as annotations of GitHub Actions
    Github,
    /// The hazards as a Code Quality report of GitLab
    Gitlab,
}

impl Format {
    /// Whether it points at places in files.
    fn points(self) -> bool {
        match self {
            Self::Sarif | Self::Github | Self::Gitlab => true,
            Self::Text | Self::Markdown | Self::Html | Self::Json | Self::Mermaid | Self::Dot => false,
        }
    }
}

/// The places that a form points at: in the specs, and in the plan file for what no spec declares any more.
pub(crate) fn spots(
    format: Format,
    plan: &Plan,
    specs: Option<&[SpecFile]>,
    file: Option<&Path>,
) -> Result<Spots, Trouble> {
    if !format.points() {
        return Ok(Spots::default());
    }
    let spots = match specs {
        Some(specs) => {
            let engine = engines::of_name(&plan.target.engine)?;
            let dialect = engine.usual_dialect_of(&plan.target.version);
            Spots::of_specs(specs, &*dialect, engines::of_specs(dialect.engine()))
                .map_err(|found| spec_files::invalid(&found, specs))?
        }
        None => Spots::default(),
    };
    Ok(match file {
        Some(file) => spots.with_plan(&file.display().to_string(), plan),
        None => spots,
    })
}

/// A plan as printed.
pub(crate) fn rendered(plan: &Plan, format: Format, verbose: bool, spots: &Spots) -> String {
    let page = |code: HazardCode| pages::find(code.code()).map(|page| page.text);
    match format {
        Format::Text => {
            let style = explain::TextStyle { color: terminal::colours(), verbose, width: terminal::width() };
            explain::text(plan, &page, &style)
        }
        Format::Markdown => explain::markdown(plan, &page),
        Format::Html => explain::html(plan, &page),
        Format::Json => String::from_utf8_lossy(&plan.to_bytes()).into_owned(),
        Format::Mermaid => explain::mermaid(plan),
        Format::Dot => explain::dot(plan),
        Format::Sarif => explain::sarif(plan, &page, spots),
        Format::Github => explain::annotations(plan, spots),
        Format::Gitlab => explain::code_quality(plan, spots),
    }
}
