//! The names that a plan takes away from clients: what is dropped, and what bears another name in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    address::{Address, ObjectKind},
    kind::{Effect as _, Kind},
    name::{Name, Qualified},
    plan::{BadPlan, Plan},
    schema::{Body, Object},
    step::{Phase, StepId},
};

/// A name that clients may use before the plan and that means nothing, or something else, after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leaving {
    /// The name, as a word.
    pub name: String,
    /// What bears it in the base.
    pub at: Address,
    /// Whether it is a value of an enum, which texts write in quotes.
    pub value: bool,
    /// The name that it has instead, if it is renamed.
    pub becomes: Option<String>,
    /// The name of its table, where something else has the same name in the end: alone it says nothing.
    pub only_with: Option<String>,
    /// The step at which it is gone.
    pub step: StepId,
    /// That step's phase.
    pub phase: Phase,
}

/// What bears a name, by how it is called in the base: a relation, a part of one, or anything else.
type Bearer = (&'static str, Vec<Name>, Option<String>);

/// What tables are called now, by what they were called in the base.
type Called = BTreeMap<Qualified, Qualified>;

impl Plan {
    /// The names that leave, in the order of the steps.
    ///
    /// # Errors
    /// [`BadPlan`] if the steps do not follow from each other.
    pub fn leaving(&self) -> Result<Vec<Leaving>, BadPlan> {
        let states = &self.states()?;
        let (mut called, mut becomes) = (Called::new(), BTreeMap::<Bearer, String>::new());
        let base = bearers(states.schema(0).objects.iter(), &called);
        let (mut now, mut gone) = (base.clone(), BTreeMap::<Bearer, usize>::new());
        for (nth, step) in self.steps.iter().enumerate() {
            let touched = &states.touched(nth);
            let at = |state: usize| touched.iter().filter_map(move |at| Some((at, states.object(state, at)?)));
            let before = bearers(at(nth), &called);
            renamed(&step.change, &mut called, &mut becomes);
            let after = bearers(at(nth + 1), &called);
            for bearer in before.into_keys().filter(|bearer| !after.contains_key(bearer)) {
                now.remove(&bearer);
                gone.insert(bearer, nth);
            }
            gone.retain(|bearer, _| !after.contains_key(bearer));
            now.extend(after);
        }
        let goal: BTreeSet<String> = now.keys().map(word).collect();
        let mut found: Vec<(usize, Leaving)> = Vec::new();
        for (bearer, nth) in &gone {
            let Some(at) = base.get(bearer) else { continue };
            // Who uses a part of a table names the table too.
            let whole = at.relation().filter(|_| at.is_member()).map(|of| relation(&of));
            if whole.as_ref().is_some_and(|whole| gone.contains_key(whole) && !becomes.contains_key(whole)) {
                continue;
            }
            let (name, step) = (word(bearer), &self.steps[*nth]);
            let only_with = whole.filter(|_| goal.contains(&name)).map(|whole| word(&whole));
            found.push((
                *nth,
                Leaving {
                    at: at.clone(),
                    value: bearer.2.is_some(),
                    becomes: becomes.get(bearer).cloned(),
                    only_with,
                    step: step.id.clone(),
                    phase: step.phase,
                    name,
                },
            ));
        }
        found.sort_by(|a, b| (a.0, &a.1.at, &a.1.name).cmp(&(b.0, &b.1.at, &b.1.name)));
        Ok(found.into_iter().map(|(_, leaving)| leaving).collect())
    }
}

fn relation(at: &Qualified) -> Bearer {
    ("relation", Address::table(at).path().to_vec(), None)
}

/// The name itself.
fn word((_, path, value): &Bearer) -> String {
    value.clone().unwrap_or_else(|| path.last().map(ToString::to_string).unwrap_or_default())
}

/// Everything among some objects whose name clients may use.
fn bearers<'a>(
    objects: impl Iterator<Item = (&'a Address, &'a Arc<Object>)>,
    called: &Called,
) -> BTreeMap<Bearer, Address> {
    let once = |of: &Qualified| called.iter().find(|(_, now)| *now == of).map_or(of, |(once, _)| once).clone();
    let mut found = BTreeMap::new();
    for (at, object) in objects {
        let path = |of: &Qualified, name: &Name| Address::column(of, name).path().to_vec();
        match at.kind() {
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::VirtualTable => {
                found.insert(("relation", at.path().to_vec(), None), at.clone());
            }
            ObjectKind::Enum
            | ObjectKind::Domain
            | ObjectKind::Type
            | ObjectKind::Sequence
            | ObjectKind::Function
            | ObjectKind::Procedure
            | ObjectKind::Aggregate => {
                found.insert(("object", at.path().to_vec(), None), at.clone());
            }
            _ => {}
        }
        match &object.body {
            Body::Table(table) => {
                let of = once(&at.qualified());
                for column in &table.columns {
                    found.insert(("column", path(&of, &column.name), None), Address::column(&of, &column.name));
                }
            }
            Body::Enum { values } => found
                .extend(values.iter().map(|value| (("value", at.path().to_vec(), Some(value.clone())), at.clone()))),
            _ => {}
        }
    }
    found
}

/// Follows a rename: members of a renamed table keep their names, and who is renamed has a new one.
fn renamed(change: &Kind, called: &mut Called, becomes: &mut BTreeMap<Bearer, String>) {
    let once = |called: &Called, of: &Qualified| {
        called.iter().find(|(_, now)| *now == of).map_or_else(|| of.clone(), |(once, _)| once.clone())
    };
    match change {
        Kind::Rename(rename) => {
            let (from, to) = (rename.from.qualified(), rename.to.qualified());
            let class = match rename.from.kind() {
                ObjectKind::Table => {
                    let first = once(called, &from);
                    called.insert(first, to);
                    "relation"
                }
                ObjectKind::View | ObjectKind::MaterializedView => "relation",
                _ => "object",
            };
            becomes.insert((class, rename.from.path().to_vec(), None), rename.to.name().to_string());
        }
        Kind::RenameMember(rename) if rename.from.kind() == ObjectKind::Column => {
            if let Some(of) = rename.from.relation() {
                let path = Address::column(&once(called, &of), rename.from.name()).path().to_vec();
                becomes.insert(("column", path, None), rename.to.to_string());
            }
        }
        Kind::RenameValue(rename) => {
            let path = rename.address().path().to_vec();
            becomes.insert(("value", path, Some(rename.from.clone())), rename.to.clone());
        }
        _ => {}
    }
}
