//! Triggers of the user on a table that gets its form by another beside it. Each gets a like on that table, and they take turns: at the
//! exchange, and when the old table goes for good. So what a client writes fires each of them once, at any time.

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{
    Address, Body, Context, Draft, Fingerprint, Name, Object, ObjectKind, Phase, Qualified, Schema, Sql,
    kind::{Create, Drop, Replace, Shadow},
};

use crate::{
    dialect::{
        names,
        turns::{Trigger, Turn},
    },
    flavor::Flavor,
};

/// A trigger of the user, and its like.
pub(super) struct Fired {
    at: Address,
    object: Arc<Object>,
    /// What its like is called.
    like: Name,
}

/// The triggers of a table.
pub(super) fn of(at: &Qualified, mark: &Fingerprint, schema: &Schema) -> Vec<Fired> {
    let own = triggers(at, schema).map(|(place, object)| Fired {
        at: place.clone(),
        object: Arc::clone(object),
        like: names::own("as", mark, place.name().as_str()),
    });
    own.collect()
}

fn triggers<'a>(at: &'a Qualified, schema: &'a Schema) -> impl Iterator<Item = (&'a Address, &'a Arc<Object>)> {
    schema
        .objects
        .iter()
        .filter(move |(place, _)| place.kind() == ObjectKind::Trigger && place.relation().as_ref() == Some(at))
}

/// What stops the triggers of a table from taking turns with their likes.
pub(super) fn hindrance(flavor: &Flavor, at: &Qualified, now: &Schema, context: &Context<'_>) -> Option<String> {
    let is_own = |place: &Address| place.kind() == ObjectKind::Trigger && place.relation().as_ref() == Some(at);
    let changes = context.groups.iter().flat_map(|group| &group.changes).map(|change| change.address());
    if let Some(place) = changes.into_iter().find(is_own) {
        return Some(format!("its trigger {} changes in the same plan", place.name()));
    }
    let mut fires = BTreeSet::new();
    for (place, object) in triggers(at, now) {
        let name = place.name();
        let Some(trigger) = Trigger::of(object) else { return Some(format!("its trigger {name} cannot be read")) };
        if !flavor.replaces_code() {
            return Some("the server exchanges no trigger in one statement".to_owned());
        }
        if trigger.has_definer {
            return Some(format!("its trigger {name} acts with the rights of another user"));
        }
        if !fires.insert(trigger.fires) {
            return Some(format!("its trigger {name} has its place in a row of several"));
        }
    }
    None
}

impl Fired {
    fn object(&self, name: &Name, on: &Qualified, turn: Option<(&Qualified, Turn)>) -> (Address, Arc<Object>) {
        let written = Trigger::of(&self.object).map(|trigger| match turn {
            Some((aside, turn)) => trigger.taking_turns(name, on, aside, turn),
            None => trigger.on(name, on),
        });
        let mut object = Object::clone(&self.object);
        if let (Body::Source(source), Some(written)) = (&mut object.body, written) {
            source.create = vec![Sql::new(written)];
        }
        (Address::member(ObjectKind::Trigger, on, name.clone()), Arc::new(object))
    }

    fn itself(&self, on: &Qualified, aside: &Qualified) -> (Address, Arc<Object>) {
        self.object(self.at.name(), on, Some((aside, Turn::Alone)))
    }

    fn like(&self, on: &Qualified, aside: &Qualified) -> (Address, Arc<Object>) {
        self.object(&self.like, on, Some((aside, Turn::Beside)))
    }

    /// Before the exchange.
    pub(super) fn stand(&self, shadow: &Shadow) -> Vec<Draft> {
        let (like, made) = self.like(&shadow.beside, &shadow.aside);
        let (at, turned) = self.itself(&shadow.table, &shadow.aside);
        let name = at.name().clone();
        let replace = Replace { at, from: Arc::clone(&self.object), to: turned };
        vec![
            Draft::new(Create::new(like, made), Phase::Expand, format!("does what {name} does from the exchange on")),
            Draft::new(replace, Phase::Expand, format!("lets {name} rest from the exchange on")),
        ]
    }

    /// Both, as they are after the exchange.
    pub(super) fn carried(&self, shadow: &Shadow) -> [(Address, Arc<Object>); 2] {
        [self.itself(&shadow.aside, &shadow.aside), self.like(&shadow.table, &shadow.aside)]
    }

    /// Before the old table goes for good.
    pub(super) fn cross(&self, shadow: &Shadow) -> Vec<Draft> {
        let (was, object) = self.itself(&shadow.aside, &shadow.aside);
        let (at, made) = self.itself(&shadow.table, &shadow.aside);
        let why = format!("brings {} to the table that is there now", at.name());
        vec![
            Draft::new(Drop::new(was, object), Phase::Contract, why.clone()),
            Draft::new(Create::new(at, made), Phase::Contract, why),
        ]
    }

    /// When it has gone.
    pub(super) fn settle(&self, shadow: &Shadow) -> Vec<Draft> {
        let (at, turned) = self.itself(&shadow.table, &shadow.aside);
        let (like, made) = self.like(&shadow.table, &shadow.aside);
        let why = format!("leaves {} to act alone", at.name());
        let replace = Replace { at, from: turned, to: Arc::clone(&self.object) };
        vec![Draft::new(replace, Phase::Contract, why.clone()), Draft::new(Drop::new(like, made), Phase::Contract, why)]
    }
}
