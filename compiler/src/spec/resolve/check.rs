//! What must fit together once everything is declared.

use std::collections::BTreeMap;

use mig_plan::{Address, Body, ObjectKind};

use super::Resolver;
use crate::{
    diagnostic::{Code, Diagnostic, Place},
    intent::{Move, ToSave},
};

impl Resolver<'_> {
    /// Takes up what is not to be managed any longer.
    pub(super) fn removed(&mut self) {
        for said in self.document.files.iter().flat_map(|f| &f.removed) {
            if let Some(path) = said.value.trim().strip_prefix("rows ") {
                self.rows_stay(path, &said.place);
                continue;
            }
            let Some(at) = self.address(said) else { continue };
            if matches!(at.kind(), ObjectKind::Column | ObjectKind::Constraint) {
                let says = format!("a {} cannot be left alone; its table is managed as a whole", at.kind());
                self.error(Code::BadValue, &said.place, says);
                continue;
            }
            if let Some(declared) = self.spans.get(&at).cloned() {
                let error = self.error(Code::DeclaredAndRemoved, &said.place, format!("{at} is declared and removed"));
                *error = error.clone().related(&declared, "it is declared here");
            }
            self.removed.insert(at, said.place.clone());
        }
    }

    /// Takes up that the rows of a table are managed no longer.
    fn rows_stay(&mut self, path: &str, place: &Place) {
        let Some(at) = self.qualify(path, place) else { return };
        if self.schema.table(&at).is_none() {
            self.error(Code::UnknownTable, place, format!("the table {at} is not declared"));
        } else if self.declared_rows.contains_key(&at) {
            self.error(Code::DeclaredAndRemoved, place, format!("rows of {at} are declared and removed"));
        }
        self.rows_left.insert(at);
    }

    /// Takes up what is to be put into files.
    pub(super) fn backups(&mut self) {
        for said in self.document.files.iter().flat_map(|f| &f.backup) {
            let what = match said.value.as_str() {
                "database" => ToSave::Everything,
                "removed" => ToSave::Removed,
                _ => {
                    let Some(at) = self.address(said) else { continue };
                    match at.kind() {
                        ObjectKind::Table => ToSave::Table(at.qualified()),
                        ObjectKind::Column => ToSave::Column(at),
                        kind => {
                            let says = format!("a {kind} has no rows to be put into a file");
                            let help = "write `table NAME`, `column TABLE.NAME`, `removed` or `database`";
                            self.error(Code::BadValue, &said.place, says).help = Some(help.to_owned());
                            continue;
                        }
                    }
                }
            };
            self.to_save.push((what, said.place.clone()));
        }
    }

    /// Checks what needs all declarations.
    pub(super) fn check(&mut self) {
        self.check_moves();
        self.check_managed();
        self.check_members();
        self.check_relation_names();
        for (at, object) in self.schema.objects.clone() {
            match &object.body {
                Body::Sequence(sequence) => {
                    if let Some(owner) = &sequence.owned_by
                        && let (Some(table), Some(place)) = (owner.relation(), self.spans.get(&at).cloned())
                        && self.known_table(&table, &place)
                    {
                        self.has_column(&table, owner.name(), &place);
                    }
                }
                Body::Source(source) => {
                    for need in &source.needs {
                        let managed =
                            self.must_be_declared(need) && self.managed.covers_name(need.kind(), &need.qualified());
                        if managed && !self.removed.contains_key(need) {
                            let mut error =
                                Diagnostic::new(Code::UnknownNeed, format!("{at} needs {need}, which is not declared"));
                            error.path = self.spans.get(&at).map(|p| p.path().to_owned());
                            error.span = self.spans.get(&at).map(|p| p.span());
                            self.errors.push(error);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether something that is needed is missing. Opaque objects cannot be declared, and a default schema need not be.
    fn must_be_declared(&self, need: &Address) -> bool {
        !matches!(need.kind(), ObjectKind::Opaque | ObjectKind::Namespace) && !self.schema.contains(need)
    }

    /// No two renames may have one source, and nothing is renamed to what it is called.
    fn check_moves(&mut self) {
        let mut sources: BTreeMap<Address, Place> = BTreeMap::new();
        let lists = [&self.table_moves, &self.column_moves, &self.constraint_moves, &self.object_moves];
        let moves: Vec<Move> = lists.into_iter().flatten().cloned().collect();
        for Move { from, to, place } in moves {
            if from == to {
                let says = format!("{to} is declared to have been called what it is called");
                self.error(Code::BadValue, &place, says).help = Some("leave `was` out".to_owned());
            } else if let Some(first) = sources.insert(from.clone(), place.clone()) {
                let says = format!("two things were {from}");
                let error = self.error(Code::RenamedTwice, &place, says);
                *error = error.clone().related(&first, "it is said here too");
            }
        }
        let mut values: BTreeMap<(Address, String), Place> = BTreeMap::new();
        for change in self.enum_value_moves.clone() {
            if let Some(first) = values.insert((change.of, change.from.clone()), change.place.clone()) {
                let says = format!("two values were `{}`", change.from);
                let error = self.error(Code::RenamedTwice, &change.place, says);
                *error = error.clone().related(&first, "it is said here too");
            }
        }
    }

    /// What is declared must be managed.
    fn check_managed(&mut self) {
        for (at, object) in self.schema.objects.clone() {
            if !self.managed.covers(&at, &object)
                && let Some(place) = self.spans.get(&at).cloned()
            {
                let says = format!("{at} is declared, but `[manage]` leaves it out");
                self.error(Code::NotManaged, &place, says);
            }
        }
    }

    /// Triggers, policies and rules need their relation.
    fn check_members(&mut self) {
        use ObjectKind::{MaterializedView, Policy, Rule, Table, Trigger, View, VirtualTable};
        for at in self.schema.objects.keys().cloned().collect::<Vec<_>>() {
            let (Trigger | Policy | Rule, Some(of)) = (at.kind(), at.relation()) else { continue };
            let relation = [Table, View, MaterializedView, VirtualTable];
            let declared = relation.into_iter().any(|kind| self.schema.objects.contains_key(&Address::new(kind, &of)));
            if !declared && let Some(place) = self.spans.get(&at).cloned() {
                let help = self.near_relation(&of).map(|near| format!("did you mean `{near}`?"));
                self.error(Code::UnknownTable, &place, format!("there is no table or view {of}")).help = help;
            }
        }
    }

    /// Tables, views, indexes and sequences share their names.
    fn check_relation_names(&mut self) {
        use ObjectKind::{Index, MaterializedView, Sequence, Table, View, VirtualTable};
        let mut taken: BTreeMap<Vec<mig_plan::Name>, Address> = BTreeMap::new();
        for at in self.schema.objects.keys().cloned().collect::<Vec<_>>() {
            if !matches!(at.kind(), Table | View | MaterializedView | Index | Sequence | VirtualTable) {
                continue;
            }
            if let Some(first) = taken.insert(at.path().to_vec(), at.clone())
                && let (Some(place), Some(other)) = (self.spans.get(&at).cloned(), self.spans.get(&first).cloned())
            {
                let error = self.error(Code::NameTaken, &place, format!("{at} has the name of {first}"));
                *error = error.clone().related(&other, "it is declared here");
            }
        }
    }
}
