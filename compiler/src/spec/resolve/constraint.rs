//! Constraints: keys, foreign keys, checks, exclusions, and the names of those declared without one.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Constraint, Name, Qualified, Rule, Sql, Table,
    schema::Validity,
    table::{Deferral, ForeignKey, Key, ReferentialAction},
};

use super::{Resolver, is_true, options, value};
use crate::{
    diagnostic::{Code, Place},
    intent::Move,
    spec::{
        Names, Scalar, Text,
        language::{ACTIONS, ForeignKeySpec, PrimaryKeySpec, TableSpec, UniqueSpec},
        names,
        near::nearest,
        node::Said,
        reader::list,
    },
};

/// The setting of a foreign key by which specs say that the table it names is not there, where an engine allows that.
pub(crate) const MISSING_PARENT: &str = "missing_parent";

/// What every constraint has beside its rule.
struct Frame<'a> {
    name: Option<&'a Text>,
    was: Option<&'a Text>,
    place: &'a Place,
    deferrable: Option<&'a Scalar>,
    not_valid: bool,
    comment: &'a Option<Text>,
    options: &'a Names<Scalar>,
}

macro_rules! frame {
    ($spec:expr, $deferrable:expr, $not_valid:expr) => {
        Frame {
            name: $spec.name.as_ref(),
            was: $spec.was.as_ref(),
            place: &$spec.place,
            deferrable: $deferrable,
            not_valid: $not_valid,
            comment: &$spec.comment,
            options: &$spec.options,
        }
    };
}

impl<'a> Resolver<'a> {
    /// Declares the constraints of all tables: primary keys first, for foreign keys mean them where they name no columns.
    pub(super) fn constraints(&mut self) {
        let specs = self.table_specs();
        let taken: BTreeMap<_, _> = specs.iter().map(|(at, _, spec)| (at.clone(), explicit_names(spec))).collect();
        for (at, _, spec) in &specs {
            if let Some(key) = &spec.primary_key {
                let rule = self.primary_key(at, &key.0);
                self.constraint(at, rule, &frame!(key.0, key.0.deferrable.as_ref(), false), &taken[at]);
            }
        }
        for (at, _, spec) in &specs {
            for unique in &spec.uniques {
                let rule = self.unique(at, unique);
                self.constraint(at, rule, &frame!(unique, unique.deferrable.as_ref(), false), &taken[at]);
            }
            for key in &spec.foreign_keys {
                if let Some(rule) = self.foreign_key(at, key) {
                    let frame = frame!(key, key.deferrable.as_ref(), is_true(&key.not_valid));
                    self.constraint(at, Rule::ForeignKey(rule), &frame, &taken[at]);
                }
            }
            for check in &spec.checks {
                let rule = Rule::Check { expression: Sql::new(&*check.expr.value) };
                self.constraint(at, rule, &frame!(check, None, is_true(&check.not_valid)), &taken[at]);
            }
            for exclude in &spec.excludes {
                let rule = Rule::Exclude { definition: Sql::new(&*exclude.definition.value) };
                self.constraint(at, rule, &frame!(exclude, exclude.deferrable.as_ref(), false), &taken[at]);
            }
        }
    }

    fn primary_key(&mut self, table: &Qualified, spec: &PrimaryKeySpec) -> Rule {
        let columns = self.key_columns(table, &spec.columns.0, &spec.place);
        let include = self.known_columns(table, &spec.include);
        Rule::PrimaryKey(Key { columns, include, nulls_not_distinct: false })
    }

    fn unique(&mut self, table: &Qualified, spec: &UniqueSpec) -> Rule {
        let columns = self.key_columns(table, &spec.columns.0, &spec.place);
        let include = self.known_columns(table, &spec.include);
        Rule::Unique(Key { columns, include, nulls_not_distinct: is_true(&spec.nulls_not_distinct) })
    }

    /// The columns of a key: at least one, each declared, none twice.
    fn key_columns(&mut self, table: &Qualified, said: &[Text], place: &Place) -> Vec<Name> {
        if said.is_empty() {
            self.error(Code::BadValue, place, "a key needs at least one column");
        }
        let mut seen = BTreeSet::new();
        for text in said {
            if !seen.insert(&text.value) {
                self.error(Code::DeclaredTwice, &text.place, format!("the column `{}` is named twice", text.value));
            }
        }
        self.known_columns(table, said)
    }

    pub(super) fn known_columns(&mut self, table: &Qualified, said: &[Text]) -> Vec<Name> {
        said.iter().filter_map(|text| self.known_column(table, text)).collect()
    }

    fn foreign_key(&mut self, table: &Qualified, spec: &ForeignKeySpec) -> Option<ForeignKey> {
        let columns = self.key_columns(table, &spec.columns.0, &spec.place);
        let place = &spec.references.place;
        let (path, inner) = self.named(place, names::parenthesised(&spec.references.value))?;
        let references = self.qualify(path, place)?;
        let given = match inner {
            Some(inner) => Some(self.named(place, names::columns(inner))?),
            None => None,
        };
        let (on_update, update_columns) = self.action(spec.on_update.as_ref());
        let (on_delete, on_delete_columns) = self.action(spec.on_delete.as_ref());
        if !update_columns.is_empty() {
            let place = spec.on_update.as_ref().map_or(&spec.place, |said| &said.place);
            self.error(Code::BadValue, place, "only `on_delete` can be limited to columns");
        }
        let is_missing = spec.options.0.iter().any(|o| o.name.value == MISSING_PARENT && o.value.0.value == "true");
        let referenced = self.referenced(&references, given, is_missing, place)?;
        let is_open = referenced.is_empty() && self.dialect.has_loose_foreign_keys();
        if referenced.len() != columns.len() && columns.len() == spec.columns.0.len() && !is_open {
            let says = format!("{} refer to {} of {references}", count(columns.len()), count(referenced.len()));
            self.error(Code::KeyMismatch, &spec.place, says).help =
                Some(format!("the columns referred to are {}", listed(&referenced)));
        }
        let match_full = is_true(&spec.match_full);
        Some(ForeignKey { columns, references, referenced, on_update, on_delete, on_delete_columns, match_full })
    }

    /// The columns that a foreign key refers to: those given, else the primary key there.
    fn referenced(
        &mut self,
        to: &Qualified,
        given: Option<Vec<Name>>,
        is_missing: bool,
        place: &Place,
    ) -> Option<Vec<Name>> {
        if !self.is_ours(to) {
            if given.is_none() {
                let says = format!("{to} is not managed here, so the columns referred to must be named");
                self.error(Code::KeyMismatch, place, says).help = Some(format!("write `{to} (id)`"));
            }
            return given;
        }
        let may_miss = self.dialect.has_loose_foreign_keys();
        if may_miss && (is_missing || given.is_none() && self.schema.table(to).is_some()) {
            return Some(given.unwrap_or_default());
        }
        if !self.known_table(to, place) {
            return None;
        }
        if let Some(given) = given {
            return given.iter().all(|name| self.has_column(to, name, place)).then_some(given);
        }
        let own = |table: &Table| table.primary_key().map(|(_, key)| key.columns.clone());
        let mut key = self.schema.table(to).and_then(own);
        for parent in self.above(to).iter().filter_map(|at| self.schema.table(at)) {
            key = key.or_else(|| own(parent));
        }
        if key.is_none() {
            let says = format!("the table {to} has no primary key to refer to");
            self.error(Code::KeyMismatch, place, says).help = Some(format!("name the columns: `{to} (id)`"));
        }
        key
    }

    /// Whether a table is one that the specs must declare.
    fn is_ours(&self, table: &Qualified) -> bool {
        let removed = self.document.files.iter().flat_map(|f| &f.removed).any(|text| {
            text.value.trim().strip_prefix("table ").is_some_and(|path| {
                mig_plan::split_path(path.trim()).is_ok_and(|mut parts| {
                    let name = parts.pop();
                    let schema = parts.pop().or_else(|| self.dialect.default_schema());
                    name.as_ref() == Some(&table.name) && schema == table.schema
                })
            })
        });
        !removed && self.managed.covers_name(mig_plan::ObjectKind::Table, table)
    }

    /// The action that `cascade` or `set null (a, b)` means.
    fn action(&mut self, said: Option<&Text>) -> (ReferentialAction, Vec<Name>) {
        let Some(said) = said else { return Default::default() };
        let Some((word, inner)) = self.named(&said.place, names::parenthesised(&said.value)) else {
            return Default::default();
        };
        let columns = inner.and_then(|inner| self.named(&said.place, names::columns(inner))).unwrap_or_default();
        let wanted = word.to_lowercase();
        match ACTIONS.iter().find(|(known, _)| *known == wanted) {
            Some((_, action)) => (*action, columns),
            None => {
                let known: Vec<_> = ACTIONS.iter().map(|(known, _)| *known).collect();
                let help = match nearest(&wanted, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it is one of {}", list(&known)),
                };
                self.error(Code::BadValue, &said.place, format!("`{word}` is nothing that a key can do")).help =
                    Some(help);
                Default::default()
            }
        }
    }

    fn deferral(&mut self, said: Option<&Scalar>) -> Deferral {
        match said.map(|s| s.0.value.as_str()) {
            None | Some("false") => Deferral::NotDeferrable,
            Some("true" | "initially immediate") => Deferral::InitiallyImmediate,
            Some("initially deferred") => Deferral::InitiallyDeferred,
            Some(_) => {
                if let Some(Scalar(Said { value, place })) = said {
                    let says = format!("`{value}` is not when a constraint can be checked");
                    self.error(Code::BadValue, place, says).help =
                        Some("write `true`, `\"initially immediate\"` or `\"initially deferred\"`".to_owned());
                }
                Deferral::NotDeferrable
            }
        }
    }

    /// Declares one constraint, under its own name or the engine's default.
    fn constraint(&mut self, table: &Qualified, rule: Rule, frame: &Frame<'_>, named: &BTreeSet<Name>) {
        let mut options = options(frame.options);
        if self.dialect.has_loose_foreign_keys() {
            options.remove(MISSING_PARENT);
        }
        let constraint = Constraint {
            rule,
            deferral: self.deferral(frame.deferrable),
            validity: if frame.not_valid { Validity::NotValid } else { Validity::Valid },
            comment: value(frame.comment),
            options,
        };
        let name = match frame.name {
            Some(said) => {
                let Some(name) = self.named(&said.place, names::column(&said.value)) else { return };
                name
            }
            None => {
                let mut taken = named.clone();
                taken.extend(self.schema.table(table).into_iter().flat_map(|t| t.constraints.keys().cloned()));
                self.dialect.default_constraint_name(table, &constraint, &taken)
            }
        };
        let at = Address::constraint(table, &name);
        if !self.declare(&at, frame.name.map_or(frame.place, |said| &said.place)) {
            return;
        }
        if let Some(said) = frame.was
            && let Some(from) = self.named(&said.place, names::column(&said.value))
        {
            let from = Address::constraint(table, &from);
            self.constraint_moves.push(Move { from, to: at, place: said.place.clone() });
        }
        if let Some(found) = self.schema.table_mut(table) {
            found.constraints.insert(name, constraint);
        }
    }
}

/// The names that are given to constraints of a table.
fn explicit_names(spec: &TableSpec) -> BTreeSet<Name> {
    let key = spec.primary_key.iter().map(|k| &k.0.name);
    let uniques = spec.uniques.iter().map(|c| &c.name);
    let foreign_keys = spec.foreign_keys.iter().map(|c| &c.name);
    let checks = spec.checks.iter().map(|c| &c.name);
    let excludes = spec.excludes.iter().map(|c| &c.name);
    let all = key.chain(uniques).chain(foreign_keys).chain(checks).chain(excludes);
    all.flatten().filter_map(|said| names::column(&said.value).ok()).collect()
}

fn count(columns: usize) -> String {
    if columns == 1 { "1 column".to_owned() } else { format!("{columns} columns") }
}

fn listed(columns: &[Name]) -> String {
    list(&columns.iter().map(Name::as_str).collect::<Vec<_>>())
}
