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
    "MIG-H025" "MIG-H026" "MIG-H027" "MIG-H028" "MIG-H029" "MIG-H031" "MIG-H032"
    "MIG-H033" "MIG-H034" "MIG-H035" "MIG-H036"
    "MIG-H037" "MIG-H038" "MIG-H039" "MIG-H040"
    "MIG-E001" "MIG-E002" "MIG-E003" "MIG-E004" "MIG-E005" "MIG-E006" "MIG-E007" "MIG-E008"
    "MIG-E009" "MIG-E010" "MIG-E011" "MIG-E012" "MIG-E013" "MIG-E014" "MIG-E015" "MIG-E016"
    "MIG-E017" "MIG-E018" "MIG-E019" "MIG-E021" "MIG-E023" "MIG-E024"
    "MIG-E025" "MIG-E027" "MIG-E028"
    "MIG-N001" "MIG-N002" "MIG-N003" "MIG-N004"
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use mig_compiler::{Code, Options, SpecFile, spec};
    use mig_plan::{
        Fingerprint, HazardCode, Name, Qualified, Schema, Snapshot, kind::Declared, snapshot::OpenRun, verify::Literal,
    };

    use super::*;
    use crate::engines::{ENGINES, Engine, NAMES, of_specs};

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

    /// Codes whose pages have examples to read, not to run, and why.
    const ONLY_READ: &[(&str, &str)] =
        &[("MIG-E024", "mig orders every change that is known by itself"), ("MIG-E025", "it is a bug of mig")];

    fn example(page: &Page, title: &str) -> Vec<SpecFile> {
        block(page.text, title).unwrap_or_else(|| panic!("{} has no section {title}", page.code))
    }

    /// The specs below a heading.
    fn block(text: &str, title: &str) -> Option<Vec<SpecFile>> {
        let (_, section) = text.split_once(&format!("## {title}\n"))?;
        let text = section.split("```toml\n").nth(1)?.split("```").next()?;
        Some(vec![SpecFile { path: title.to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn every_page_of_a_hazard_has_two_examples_that_are_specs() {
        for page in ALL.iter().filter(|page| page.code.starts_with("MIG-H")) {
            for title in ["Raises it", "Instead"] {
                for engine in ENGINES {
                    if let Err(wrong) = spec::parse(&example(page, title), of_specs(engine.name)) {
                        panic!("{} {title}: {}", page.code, wrong[0]);
                    }
                }
            }
        }
    }

    /// What specs declare, as a pulled database of that engine.
    fn database(specs: Option<Vec<SpecFile>>, engine: &Engine) -> Result<Snapshot, String> {
        let first = |wrong: Vec<mig_compiler::Diagnostic>| wrong[0].to_string();
        let (schema, rows) = match specs {
            Some(specs) => {
                let given = spec::parse(&specs, of_specs(engine.name)).map_err(first)?;
                let intent = spec::resolve(&given, &*engine.usual_dialect()).map_err(first)?;
                (intent.goal, intent.rows)
            }
            None => (Schema::default(), BTreeMap::new()),
        };
        let declared = |(at, rows): (&Qualified, &Vec<BTreeMap<Name, Literal>>)| {
            let key = &schema.table(at)?.primary_key()?.1.columns;
            Some(Declared::of(rows, key, &[]).record(at))
        };
        Ok(Snapshot {
            format: mig_plan::SNAPSHOT_FORMAT.to_owned(),
            engine: engine.name.to_owned(),
            version: engine.usual_version.to_owned(),
            default_schema: engine.usual_schema.map(|name| Name::new(name).unwrap()),
            remembered: rows.iter().filter_map(declared).collect(),
            schema: mig_plan::schema::Live(schema),
            depends: BTreeMap::new(),
            open_runs: Vec::new(),
        })
    }

    /// What compiling specs against a database says: the codes of its errors, or those of its notes and hazards.
    fn codes(specs: &[SpecFile], database: &Snapshot, engine: &Engine) -> BTreeSet<&'static str> {
        match mig_compiler::compile(
            specs,
            database,
            &*engine.usual_dialect(),
            &Options { target: None, engines: NAMES },
        ) {
            Err(wrong) => wrong.iter().map(|one| one.code).collect(),
            Ok(compiled) => {
                let hazards =
                    compiled.plan.steps.iter().flat_map(|step| &step.hazards).map(|hazard| hazard.code.code());
                hazards.chain(compiled.notes.iter().map(|note| note.code)).collect()
            }
        }
    }

    /// What compiling one of a page's examples says. For the code of an open run, one reserves all that is there.
    fn said(page: &Page, title: &str, engine: &Engine) -> Result<BTreeSet<&'static str>, String> {
        let mut there = database(block(page.text, "Given"), engine)?;
        if page.code == Code::OverlapsOpenRun.code() {
            let reserved = there.schema.0.objects.keys().cloned().collect();
            there.open_runs.push(OpenRun {
                run: "a run".to_owned(),
                plan: Fingerprint::of_bytes(b"its plan"),
                reserved,
            });
        }
        Ok(codes(&example(page, title), &there, engine))
    }

    #[test]
    fn recipes_compile_on_every_engine_and_say_what_they_say() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes");
        let mut tried = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let Some(after) = block(&text, "After") else { continue };
            tried += 1;
            let mut all = BTreeSet::new();
            for engine in ENGINES {
                let there = database(block(&text, "Before"), engine).unwrap();
                let said = codes(&after, &there, engine);
                assert!(
                    !said.iter().any(|code| code.starts_with("MIG-E")),
                    "{} on {}: {said:?}",
                    path.display(),
                    engine.name
                );
                all.extend(said);
            }
            let named = text.split("codes/").skip(1).filter_map(|rest| rest.get(..8));
            for code in named {
                assert!(all.contains(code), "{}: {code} is named, and said is {all:?}", path.display());
            }
        }
        assert!(tried > 4, "the recipes have moved");
    }

    #[test]
    fn the_bad_example_of_each_page_says_its_code_and_the_good_one_does_not() {
        let mut wrong = String::new();
        for page in ALL {
            let [bad, good] = match page.code.as_bytes()[4] {
                b'H' => ["Raises it", "Instead"],
                b'N' => ["Gives it", "Without it"],
                _ => ["Wrong", "Right"],
            };
            // The way out of an open run is a command, not another spec.
            let is_spec =
                page.text.split_once(&format!("## {good}\n")).is_some_and(|(_, rest)| rest.contains("```toml"));
            let mut tried = Vec::new();
            for engine in ENGINES {
                let raised = said(page, bad, engine);
                let avoided = if is_spec { said(page, good, engine) } else { Ok(BTreeSet::new()) };
                let clean = avoided.as_ref().is_ok_and(|codes| {
                    !codes.contains(page.code) && !codes.iter().any(|code| code.starts_with("MIG-E"))
                });
                if raised.as_ref().is_ok_and(|codes| codes.contains(page.code)) && clean {
                    tried.clear();
                    break;
                }
                tried.push(format!("  on {}: bad {raised:?}, good {avoided:?}\n", engine.name));
            }
            let only_read = ONLY_READ.iter().any(|(code, _)| *code == page.code);
            if only_read == tried.is_empty() {
                wrong += &format!("{}:\n{}", page.code, tried.concat());
            }
        }
        assert!(wrong.is_empty(), "not as the pages say:\n{wrong}");
    }
}
