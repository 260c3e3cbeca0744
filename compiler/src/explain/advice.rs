//! What the page of a code tells a reviewer, cut into its parts.

use mig_plan::HazardCode;

/// The page of each code, as the caller keeps them; `None` where it has none.
pub type Pages<'a> = &'a dyn Fn(HazardCode) -> Option<&'static str>;

/// What a reviewer of a hazard wants to know beside the hazard's own sentence. A part that the page lacks is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advice<'a> {
    /// What happens, and to whom.
    pub happens: &'a str,
    /// What mig does about it.
    pub remedy: &'a str,
    /// How it is undone.
    pub undone: &'a str,
    /// What to check before signing.
    pub check: &'a str,
}

impl<'a> Advice<'a> {
    /// Reads it from a page of `docs/codes`.
    #[must_use]
    pub fn of_page(page: &'a str) -> Self {
        Self {
            happens: section(page, "What happens, and to whom"),
            remedy: section(page, "What mig does about it"),
            undone: section(page, "How it is undone"),
            check: section(page, "What to check"),
        }
    }

    /// That of a code.
    pub(super) fn of(code: HazardCode, pages: Pages<'_>) -> Advice<'static> {
        pages(code).map(Advice::of_page).unwrap_or_default()
    }
}

/// The text below a heading, up to the next one.
fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let mut parts = page.split("\n## ").filter_map(|part| part.split_once('\n'));
    parts.find(|(heading, _)| heading.trim() == title).map_or("", |(_, text)| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_at_its_headings() {
        let page = "# MIG-H001: x\n\n## What happens, and to whom\nA.\n\n## What to check\nB.\nC.\n\n## Given\n";
        let advice = Advice::of_page(page);
        assert_eq!((advice.happens, advice.remedy, advice.check), ("A.", "", "B.\nC."));
    }
}
