//! Where in files the hazards of a plan are to be shown: at the spec that causes each, else in the plan file.

use std::collections::BTreeMap;

use mig_plan::{Address, Dialect, Plan, StepId};

use crate::{
    diagnostic::{Diagnostic, Place},
    intent::Intent,
    spec::{self, Engines, SpecFile},
};

/// A place in a file, as code hosts count: lines and columns from 1, columns in characters, the end not included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The file.
    pub path: String,
    /// Its first line.
    pub line: usize,
    /// The first column.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column after its end.
    pub end_column: usize,
}

/// Where each address is declared, and where each step stands in the plan file. A plan holds no paths, so both come from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spots {
    declared: BTreeMap<Address, Spot>,
    steps: BTreeMap<StepId, Spot>,
}

impl Spots {
    /// From the specs that the plan was made from.
    ///
    /// # Errors
    /// What is wrong with the specs.
    pub fn of_specs(files: &[SpecFile], dialect: &dyn Dialect, engines: Engines<'_>) -> Result<Self, Vec<Diagnostic>> {
        let intent = spec::resolve(&spec::parse(files, engines)?, dialect)?;
        let texts: BTreeMap<&str, &str> = files.iter().map(|f| (f.path.as_str(), f.text.as_str())).collect();
        let spot = |place: &Place| spot(place, texts.get(place.path()).copied().unwrap_or_default());
        let declared = places(&intent).into_iter().map(|(at, place)| (at, spot(place))).collect();
        Ok(Self { declared, steps: BTreeMap::new() })
    }

    /// The same, with the plan file as the place of what no spec declares any more.
    #[must_use]
    pub fn with_plan(mut self, path: &str, plan: &Plan) -> Self {
        let bytes = plan.to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        for (n, line) in text.lines().enumerate() {
            let Some(id) = line.trim_start().strip_prefix("\"id\": ") else { continue };
            let Ok(id) = serde_json::from_str::<String>(id.trim_end_matches(',')) else { continue };
            let (column, end_column) = (line.len() - line.trim_start().len() + 1, line.chars().count() + 1);
            let spot = Spot { path: path.to_owned(), line: n + 1, column, end_line: n + 1, end_column };
            self.steps.entry(StepId(id)).or_insert(spot);
        }
        self
    }

    /// The place for something about an address at a step: its declaration, that of what holds it, or the step in the plan file.
    #[must_use]
    pub fn find(&self, at: &Address, step: &StepId) -> Option<&Spot> {
        self.declared.get(at).or_else(|| self.declared.get(&at.holder())).or_else(|| self.steps.get(step))
    }

    /// A place that is there whatever it is about: the beginning of the first spec.
    pub(super) fn any(&self) -> Option<Spot> {
        let first = self.declared.values().map(|spot| spot.path.as_str()).min()?;
        Some(Spot { path: first.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 })
    }
}

/// Where each address is declared: as it shall be, and as it was where a rename is declared.
fn places(intent: &Intent) -> BTreeMap<Address, &Place> {
    let mut places: BTreeMap<Address, &Place> = intent.spans.iter().map(|(at, place)| (at.clone(), place)).collect();
    let moves = [&intent.table_moves, &intent.column_moves, &intent.constraint_moves, &intent.object_moves];
    for one in moves.into_iter().flatten() {
        places.entry(one.from.clone()).or_insert(&one.place);
    }
    for (table, transform) in &intent.fills {
        for (column, place) in &transform.columns {
            places.entry(Address::column(table, column)).or_insert(place);
        }
    }
    places
}

fn spot(place: &Place, text: &str) -> Spot {
    let count = |at: usize| {
        let before = text.get(..at.min(text.len())).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    };
    let ((line, column), (end_line, end_column)) = (count(place.span().start), count(place.span().end));
    Spot { path: place.path().to_owned(), line, column, end_line, end_column }
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn places_are_counted_in_characters() {
        let text = "a = 1\nb = \"äö\" # x\n";
        let start = text.find("\"ä").unwrap();
        let end = text.find(" # x").unwrap();
        let found = spot(&Place::new("f.toml".to_owned(), start..end), text);
        assert_eq!((found.line, found.column, found.end_line, found.end_column), (2, 5, 2, 9));
    }

    #[test]
    fn a_step_is_found_in_its_plan_file() {
        let plan = sample::plan();
        let spots = Spots::default().with_plan("plans/x.json", &plan);
        let bytes = plan.to_bytes();
        let text = String::from_utf8(bytes).unwrap();
        for step in &plan.steps {
            let spot =
                spots.find(&step.hazards.first().map_or(step.change.address(), |h| h.at.clone()), &step.id).unwrap();
            let line = text.lines().nth(spot.line - 1).unwrap();
            assert_eq!(line.trim(), format!("\"id\": {},", serde_json::to_string(&step.id).unwrap()));
        }
    }
}
