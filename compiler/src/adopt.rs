//! Spelling never shows as change: where a declared text means what the catalog says, the goal takes the catalog's words.

use std::collections::BTreeMap;

use mig_plan::{
    Address, Body, ColumnValue, Dialect, Object, ObjectKind, Rule, Sameness, Snapshot, Sql, Table, schema::IndexedBy,
};

/// What is at hand to tell whether two texts mean the same.
#[derive(Clone, Copy)]
pub(crate) struct Adopter<'a> {
    pub(crate) dialect: &'a dyn Dialect,
    pub(crate) snapshot: &'a Snapshot,
}

impl Adopter<'_> {
    /// Puts the live spelling into every text of `goal` that means the same. Gives the texts about which nothing can be told.
    pub(crate) fn adopt(&self, at: &Address, goal: &mut Object, live: &Object) -> Vec<Sql> {
        let mut unknown = Vec::new();
        match (&mut goal.body, &live.body) {
            (Body::Table(goal_table), Body::Table(live_table)) => {
                self.adopt_table(at, goal_table, live_table, live, &mut unknown);
            }
            (Body::Domain(goal), Body::Domain(wanted)) => {
                if let (Some(declared), Some(catalog)) = (&mut goal.default, &wanted.default) {
                    self.adopt_text(at, live, declared, catalog, &mut unknown);
                }
                for (name, declared) in &mut goal.checks {
                    if let Some(catalog) = wanted.checks.get(name) {
                        self.adopt_text(at, live, declared, catalog, &mut unknown);
                    }
                }
            }
            (Body::Index(goal_index), Body::Index(live_index)) => {
                for (part, there) in goal_index.parts.iter_mut().zip(&live_index.parts) {
                    if let (IndexedBy::Expression(declared), IndexedBy::Expression(catalog)) =
                        (&mut part.what, &there.what)
                    {
                        self.adopt_text(at, live, declared, catalog, &mut unknown);
                    }
                }
                if let (Some(declared), Some(catalog)) = (&mut goal_index.predicate, &live_index.predicate) {
                    self.adopt_text(at, live, declared, catalog, &mut unknown);
                }
            }
            (Body::View(goal_view), Body::View(live_view)) => {
                self.adopt_text(at, live, &mut goal_view.query, &live_view.query, &mut unknown);
                self.adopt_settings(&mut goal_view.options, &live_view.options);
            }
            (Body::Source(goal_source), Body::Source(live_source))
                if goal_source.create.len() == live_source.create.len() =>
            {
                for (declared, catalog) in goal_source.create.iter_mut().zip(&live_source.create) {
                    self.adopt_text(at, live, declared, catalog, &mut unknown);
                }
                goal_source.needs.clone_from(&live_source.needs);
            }
            _ => {}
        }
        // What is cheap to make anew is made anew rather than asked about.
        let cheap = !matches!(at.kind(), ObjectKind::MaterializedView | ObjectKind::Index | ObjectKind::Table);
        if cheap { Vec::new() } else { unknown }
    }

    fn adopt_table(&self, at: &Address, goal: &mut Table, live: &Table, object: &Object, unknown: &mut Vec<Sql>) {
        for column in &mut goal.columns {
            let Some(there) = live.column(&column.name) else { continue };
            match (&mut column.value, &there.value) {
                (ColumnValue::Default(declared), ColumnValue::Default(catalog))
                    if column.data_type == there.data_type =>
                {
                    // A default is cheap to set again, so doubt about it is no question.
                    self.adopt_text(at, object, declared, catalog, &mut Vec::new());
                }
                (
                    ColumnValue::Generated { expression: declared, .. },
                    ColumnValue::Generated { expression: catalog, .. },
                ) => self.adopt_text(at, object, declared, catalog, unknown),
                _ => {}
            }
        }
        self.adopt_settings(&mut goal.options, &live.options);
        for (name, constraint) in &mut goal.constraints {
            let Some(there) = live.constraints.get(name) else { continue };
            self.adopt_rule(at, object, &mut constraint.rule, &there.rule, unknown);
        }
    }

    fn adopt_settings(&self, goal: &mut BTreeMap<String, String>, live: &BTreeMap<String, String>) {
        for (name, declared) in goal {
            let Some(catalog) = live.get(name) else { continue };
            if self.dialect.same_setting(name, declared, catalog) {
                declared.clone_from(catalog);
            }
        }
    }

    /// The same for one constraint's text.
    pub(crate) fn adopt_rule(
        &self,
        at: &Address,
        object: &Object,
        goal: &mut Rule,
        live: &Rule,
        unknown: &mut Vec<Sql>,
    ) {
        match (goal, live) {
            (Rule::Check { expression: declared }, Rule::Check { expression: catalog })
            | (Rule::Exclude { definition: declared }, Rule::Exclude { definition: catalog }) => {
                self.adopt_text(at, object, declared, catalog, unknown);
            }
            _ => {}
        }
    }

    fn adopt_text(&self, at: &Address, live: &Object, declared: &mut Sql, catalog: &Sql, unknown: &mut Vec<Sql>) {
        if declared == catalog {
            return;
        }
        if self.snapshot.remembers(at, declared, catalog) {
            declared.clone_from(catalog);
            return;
        }
        match self.dialect.same_text(live, declared, catalog) {
            Sameness::Same => declared.clone_from(catalog),
            Sameness::Different => {}
            Sameness::Unknown => unknown.push(declared.clone()),
        }
    }
}
