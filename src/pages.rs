//! The pages of `docs/codes`, built into the binary: one for each code that mig can say.

/// A page.
pub(crate) struct Page {
    /// The code.
    pub(crate) code: &'static str,
    /// The page, in Markdown.
    pub(crate) text: &'static str,
}

impl Page {
    /// What the code is, in a few words: the page's first line without its code.
    pub(crate) fn title(&self) -> &'static str {
        let line = self.text.lines().next().unwrap_or_default();
        line.split_once(": ").map_or(line, |(_, title)| title)
    }
}

/// The page of a code, in whatever case it is given.
pub(crate) fn find(code: &str) -> Option<&'static Page> {
    ALL.iter().find(|page| page.code.eq_ignore_ascii_case(code.trim()))
}

macro_rules! pages {
    ($($code:literal)*) => {
        /// Every page, in the order of the codes.
        pub(crate) const ALL: &[Page] = &[$(Page { code: $code, text: include_str!(concat!("../docs/codes/", $code, ".md")) }),*];
    };
}

pages! {
    "MIG-H001" "MIG-H002" "MIG-H003" "MIG-H004" "MIG-H005" "MIG-H006" "MIG-H007" "MIG-H008"
    "MIG-H009" "MIG-H010" "MIG-H011" "MIG-H012" "MIG-H013" "MIG-H014" "MIG-H015" "MIG-H016"
    "MIG-H017" "MIG-H018" "MIG-H019" "MIG-H020" "MIG-H021" "MIG-H022" "MIG-H023" "MIG-H024"
    "MIG-H025" "MIG-H026" "MIG-H027" "MIG-H028" "MIG-H029" "MIG-H030" "MIG-H031" "MIG-H032"
    "MIG-H033" "MIG-H034" "MIG-H035" "MIG-H036"
    "MIG-H037"
    "MIG-E001" "MIG-E002" "MIG-E003" "MIG-E004" "MIG-E005" "MIG-E006" "MIG-E007" "MIG-E008"
    "MIG-E009" "MIG-E010" "MIG-E011" "MIG-E012" "MIG-E013" "MIG-E014" "MIG-E015" "MIG-E016"
    "MIG-E017" "MIG-E018" "MIG-E019" "MIG-E020" "MIG-E021" "MIG-E022" "MIG-E023" "MIG-E024"
    "MIG-E025" "MIG-E026" "MIG-E027" "MIG-E028"
    "MIG-N001" "MIG-N002" "MIG-N003" "MIG-N004" "MIG-N005"
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use mig_compiler::{Code, Options, SpecFile, spec};
    use mig_plan::{HazardCode, Name, Snapshot};

    use super::*;
    use crate::engines::{ENGINES, Engine};

    #[test]
    fn every_code_has_a_page_that_bears_its_title() {
        let hazards = HazardCode::ALL.iter().map(|c| (c.code(), c.title()));
        let said = Code::ALL.iter().map(|c| (c.code(), c.title()));
        for (code, title) in hazards.chain(said) {
            let page = find(code).unwrap_or_else(|| panic!("{code} has no page"));
            assert_eq!(page.text.lines().next().unwrap(), format!("# {code}: {title}"));
        }
        assert_eq!(ALL.len(), HazardCode::ALL.len() + Code::ALL.len(), "a page for a code that is gone");
    }

    /// Hazards whose pages have examples to read, not to run, and why.
    const ONLY_READ: &[(&str, &str)] = &[
        ("MIG-H025", "only a catalog's own spelling raises it"),
        ("MIG-H030", "the spec language has no such object"),
        ("MIG-H031", "depends on what the database has beside the table"),
    ];

    fn example(page: &Page, title: &str) -> Vec<SpecFile> {
        let (_, section) = page.text.split_once(&format!("## {title}\n")).unwrap_or_else(|| {
            panic!("{} has no section {title}", page.code);
        });
        let text = section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        vec![SpecFile { path: format!("{} {title}", page.code), text: text.to_owned() }]
    }

    #[test]
    fn every_page_of_a_hazard_has_two_examples_that_are_specs() {
        for page in ALL.iter().filter(|page| page.code.starts_with("MIG-H")) {
            for title in ["Raises it", "Instead"] {
                for engine in ENGINES {
                    if let Err(wrong) = spec::parse(&example(page, title), engine.name) {
                        panic!("{} {title}: {}", page.code, wrong[0]);
                    }
                }
            }
        }
    }

    /// The hazards of the plan from what a page says is there to one of its examples.
    fn hazards(page: &Page, title: &str, engine: &Engine) -> Result<BTreeSet<&'static str>, String> {
        let dialect = engine.usual_dialect();
        let first = |wrong: Vec<mig_compiler::Diagnostic>| wrong[0].to_string();
        let given = spec::parse(&example(page, "Given"), engine.name).map_err(first)?;
        let schema = spec::resolve(&given, &*dialect).map_err(first)?.goal;
        let snapshot = Snapshot {
            format: mig_plan::SNAPSHOT_FORMAT.to_owned(),
            engine: engine.name.to_owned(),
            version: engine.usual_version.to_owned(),
            default_schema: engine.usual_schema.map(|name| Name::new(name).unwrap()),
            schema: mig_plan::schema::Live(schema),
            depends: BTreeMap::new(),
            remembered: Vec::new(),
            open_runs: Vec::new(),
        };
        let options = Options { target: None };
        let compiled = mig_compiler::compile(&example(page, title), &snapshot, &*dialect, &options).map_err(first)?;
        let raised = compiled.plan.steps.iter().flat_map(|step| &step.hazards);
        Ok(raised.map(|hazard| hazard.code.code()).collect())
    }

    #[test]
    fn the_bad_example_raises_the_code_and_the_good_one_does_not() {
        let mut wrong = String::new();
        for page in ALL.iter().filter(|page| page.code.starts_with("MIG-H")) {
            let mut said = Vec::new();
            for engine in ENGINES {
                let [bad, good] = ["Raises it", "Instead"].map(|title| {
                    if page.text.contains("## Given") {
                        hazards(page, title, engine)
                    } else {
                        Err("nothing is given".to_owned())
                    }
                });
                let has = |found: &Result<BTreeSet<_>, _>| found.as_ref().is_ok_and(|codes| codes.contains(page.code));
                if has(&bad) && good.is_ok() && !has(&good) {
                    said.clear();
                    break;
                }
                said.push(format!("  on {}: bad {bad:?}, good {good:?}\n", engine.name));
            }
            let only_read = ONLY_READ.iter().any(|(code, _)| *code == page.code);
            if only_read == said.is_empty() {
                wrong += &format!("{}:\n{}", page.code, said.concat());
            }
        }
        assert!(wrong.is_empty(), "not as the pages say:\n{wrong}");
    }
}
