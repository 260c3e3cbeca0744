//! The spec files of a project, and the compiler's findings about them with their texts.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use mig_compiler::{Diagnostic, SpecFile};

use crate::{
    engines::{self, Engine},
    exit::{Reason, Trouble},
    files,
    finding::{Shown, Spot},
    project::Project,
};

/// Reads every spec of a folder, in order of their paths.
pub(crate) fn read(folder: &Path) -> Result<Vec<SpecFile>, Trouble> {
    if !folder.is_dir() {
        return Err(Trouble::new(Reason::Input, format!("there is no folder {}", folder.display()))
            .untouched("no database was touched")
            .next("mig import writes specs from a live database; --specs names another folder"));
    }
    let specs: Vec<_> = files::below(folder, ".toml")?
        .iter()
        .map(|path| Ok(SpecFile { path: path.display().to_string(), text: files::read_text(path)? }))
        .collect::<Result<_, Trouble>>()?;
    if specs.is_empty() {
        // An empty spec set would mean: drop everything. Nobody means that.
        return Err(Trouble::new(Reason::Input, format!("there is no *.toml file in {}", folder.display()))
            .untouched("no database was touched")
            .next("mig import writes specs from a live database; --specs names another folder"));
    }
    Ok(specs)
}

/// The engine that specs are checked for where no database is named: that of `mig.toml`.
pub(crate) fn engine(named: Option<&str>, project: &Project) -> Result<&'static Engine, Trouble> {
    match named.or_else(|| project.engine()) {
        Some(name) => engines::of_name(name),
        None => Err(Trouble::new(Reason::Usage, "nothing says which engine the specs are for")
            .next(format!("give --engine with one of: {}; or set engine in mig.toml", engines::names()))),
    }
}

/// Findings with the texts that they are about.
pub(crate) fn shown(diagnostics: &[Diagnostic], specs: &[SpecFile]) -> Vec<Shown> {
    let texts: BTreeMap<&str, Arc<str>> = specs.iter().map(|s| (s.path.as_str(), Arc::from(s.text.as_str()))).collect();
    let spot = |path: &str, span: std::ops::Range<usize>, label: &str| {
        let text = texts.get(path).cloned().unwrap_or_default();
        Spot { path: path.to_owned(), text, span, label: label.to_owned() }
    };
    diagnostics
        .iter()
        .map(|one| Shown {
            code: one.code,
            severity: match one.severity {
                mig_compiler::Severity::Note => miette::Severity::Advice,
                mig_compiler::Severity::Warning => miette::Severity::Warning,
                mig_compiler::Severity::Error => miette::Severity::Error,
            },
            says: one.says.clone(),
            help: one.help.clone(),
            spot: one.path.as_ref().map(|path| spot(path, one.span.clone().unwrap_or(0..0), "")),
            related: one.related.iter().map(|r| spot(&r.path, r.span.clone(), &r.label)).collect(),
        })
        .collect()
}

/// The error of specs that do not compile.
pub(crate) fn invalid(diagnostics: &[Diagnostic], specs: &[SpecFile]) -> Trouble {
    let errors = diagnostics.iter().filter(|d| d.severity == mig_compiler::Severity::Error).count();
    let (count, things) = if errors == 1 { ("one".to_owned(), "error") } else { (errors.to_string(), "errors") };
    let in_files = diagnostics.iter().any(|d| d.path.is_some());
    let says = if in_files {
        format!("the specs have {count} {things}")
    } else {
        "there is no plan for these specs".to_owned()
    };
    Trouble::new(Reason::Specs, says)
        .untouched("nothing was written")
        .next("mig explain CODE tells more about each")
        .findings(shown(diagnostics, specs))
}
