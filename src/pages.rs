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
    "MIG-H033" "MIG-H034" "MIG-H035"
    "MIG-E001" "MIG-E002" "MIG-E003" "MIG-E004" "MIG-E005" "MIG-E006" "MIG-E007" "MIG-E008"
    "MIG-E009" "MIG-E010" "MIG-E011" "MIG-E012" "MIG-E013" "MIG-E014" "MIG-E015" "MIG-E016"
    "MIG-E017" "MIG-E018" "MIG-E019" "MIG-E020" "MIG-E021" "MIG-E022" "MIG-E023" "MIG-E024"
    "MIG-E025" "MIG-E026" "MIG-E027"
    "MIG-N001" "MIG-N002" "MIG-N003" "MIG-N004" "MIG-N005"
}

#[cfg(test)]
mod tests {
    use mig_compiler::{Code, SpecFile};
    use mig_plan::HazardCode;

    use super::*;

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

    #[test]
    fn the_examples_of_hazards_are_specs() {
        for page in ALL.iter().filter(|page| page.code.starts_with("MIG-H")) {
            let examples: Vec<_> =
                page.text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
            assert_eq!(examples.len(), 2, "{}", page.code);
            for text in examples {
                let spec = SpecFile { path: page.code.to_owned(), text: text.to_owned() };
                for engine in crate::engines::ENGINES {
                    if let Err(wrong) = mig_compiler::spec::parse(std::slice::from_ref(&spec), engine.name) {
                        panic!("{}: {}\n{text}", page.code, wrong[0]);
                    }
                }
            }
        }
    }
}
