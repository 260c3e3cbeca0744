//! A document becomes an [`Intent`]: names are resolved, what is left out is filled in, what does not fit is reported.

mod check;
mod constraint;
mod grants;
mod index;
mod object;
mod rows;
mod table;
mod verify;

pub(crate) use self::{constraint::MISSING_PARENT, index::reads_as_part, object::default_domain_check};

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use mig_plan::{
    Address, BadName, Complaint, Dataset, DeclaredCheck, DeclaredProbe, Dialect, Fingerprint, Name, Object, ObjectKind,
    Qualified, Schema, split_path, verify::Literal,
};

use super::{Document, Scalar, Text, language::SpecDocument, near::nearest, node::Said, reader::Names};
use crate::{
    diagnostic::{self, Code, Diagnostic, Place},
    intent::{Declared, Intent, Managed, Move, Source, ToSave, Transform, ValueMove},
};

/// Resolves a document for an engine.
///
/// # Errors
/// Everything that does not fit together, and everything that the engine cannot have, at its place.
pub fn resolve(document: &Document, dialect: &dyn Dialect) -> Result<Intent, Vec<Diagnostic>> {
    let mut resolver = Resolver::new(document, dialect);
    resolver.manage();
    resolver.objects();
    resolver.tables();
    resolver.constraints();
    resolver.indexes();
    resolver.transforms();
    resolver.rows();
    resolver.verifications();
    resolver.removed();
    resolver.backups();
    resolver.check();
    resolver.finish()
}

/// The names of all declared tables, views and materialized views.
fn row_types(document: &Document, dialect: &dyn Dialect) -> Schema {
    let mut rows = Schema::default();
    for file in &document.files {
        let tables = file.tables.0.iter().map(|e| (ObjectKind::Table, &e.name));
        let views = file.views.0.iter().map(|e| (ObjectKind::View, &e.name));
        let kept = file.materialized_views.0.iter().map(|e| (ObjectKind::MaterializedView, &e.name));
        for (kind, said) in tables.chain(views).chain(kept) {
            let Ok(mut parts) = split_path(said.value.trim()) else { continue };
            if let Some(name) = parts.pop() {
                let at = Qualified::new(parts.pop().or_else(|| dialect.default_schema()), name);
                rows.objects.insert(Address::new(kind, &at), Object::new(mig_plan::Body::Namespace {}).into());
            }
        }
    }
    rows
}

/// What has been resolved so far.
struct Resolver<'a> {
    document: &'a Document,
    dialect: &'a dyn Dialect,
    schema: Schema,
    /// The names of relations, which are types too: their row types. Only the names count.
    rows: Schema,
    /// The names that an index cannot have, by the schema or table that they must differ in.
    taken: BTreeMap<Option<Name>, BTreeSet<Name>>,
    spans: BTreeMap<Address, Place>,
    table_moves: Vec<Move>,
    column_moves: Vec<Move>,
    constraint_moves: Vec<Move>,
    object_moves: Vec<Move>,
    enum_value_moves: Vec<ValueMove>,
    fills: BTreeMap<Qualified, Transform>,
    sources: BTreeMap<Qualified, Vec<Source>>,
    declared_rows: BTreeMap<Qualified, Vec<BTreeMap<Name, Literal>>>,
    rows_left: BTreeSet<Qualified>,
    declared_checks: Vec<Declared<DeclaredCheck>>,
    declared_probes: Vec<Declared<DeclaredProbe>>,
    declared_datasets: Vec<Declared<Dataset>>,
    /// Names of checks and of probes.
    verified: BTreeMap<(&'static str, String), Place>,
    removed: BTreeMap<Address, Place>,
    to_save: Vec<(ToSave, Place)>,
    managed: Managed,
    errors: Vec<Diagnostic>,
}

impl<'a> Resolver<'a> {
    fn new(document: &'a Document, dialect: &'a dyn Dialect) -> Self {
        Self {
            document,
            dialect,
            schema: Schema::default(),
            rows: row_types(document, dialect),
            taken: BTreeMap::new(),
            spans: BTreeMap::new(),
            table_moves: Vec::new(),
            column_moves: Vec::new(),
            constraint_moves: Vec::new(),
            object_moves: Vec::new(),
            enum_value_moves: Vec::new(),
            fills: BTreeMap::new(),
            sources: BTreeMap::new(),
            declared_rows: BTreeMap::new(),
            rows_left: BTreeSet::new(),
            declared_checks: Vec::new(),
            declared_probes: Vec::new(),
            declared_datasets: Vec::new(),
            verified: BTreeMap::new(),
            removed: BTreeMap::new(),
            to_save: Vec::new(),
            managed: Managed::default(),
            errors: Vec::new(),
        }
    }

    /// The entries of one section, of all files.
    fn section<T: 'a>(&self, of: impl Fn(&'a SpecDocument) -> &'a Names<T>) -> Vec<(&'a Text, &'a T)> {
        let document: &'a Document = self.document;
        document.files.iter().flat_map(|file| of(file).0.iter().map(|e| (&e.name, &e.value))).collect()
    }

    fn error(&mut self, code: Code, place: &Place, says: impl Into<String>) -> &mut Diagnostic {
        self.errors.push(Diagnostic::new(code, says).at(place));
        self.errors.last_mut().expect("it was just pushed")
    }

    /// Reports a name that is none.
    fn named<T>(&mut self, place: &Place, read: Result<T, BadName>) -> Option<T> {
        read.map_err(|bad| self.error(Code::BadName, place, bad.to_string())).ok()
    }

    /// The object that a path means: an unqualified one is in the default schema.
    fn qualify(&mut self, text: &str, place: &Place) -> Option<Qualified> {
        let parts = self.named(place, split_path(text.trim()))?;
        self.qualified(parts, text, place)
    }

    fn qualified(&mut self, mut parts: Vec<Name>, text: &str, place: &Place) -> Option<Qualified> {
        let default = self.dialect.default_schema();
        match (parts.pop(), parts.pop(), parts.is_empty()) {
            (Some(name), None, _) => Some(Qualified::new(default, name)),
            (Some(name), Some(schema), true) if default.is_some() => Some(Qualified::new(Some(schema), name)),
            _ => {
                let says = format!("`{text}` has too many parts");
                let help = match default {
                    Some(_) => "a path is a schema and a name; a part with a dot is double-quoted".to_owned(),
                    None => format!("{} has no schemas; a part with a dot is double-quoted", self.dialect.engine()),
                };
                self.error(Code::BadName, place, says).help = Some(help);
                None
            }
        }
    }

    /// The relation and the member that `table.member` means.
    fn member(&mut self, text: &str, place: &Place) -> Option<(Qualified, Name)> {
        let mut parts = self.named(place, split_path(text.trim()))?;
        let name = parts.pop()?;
        if parts.is_empty() {
            let says = format!("`{text}` does not say which table it is of");
            self.error(Code::BadName, place, says).help = Some(format!("write `<table>.{text}`"));
            return None;
        }
        self.qualified(parts, text, place).map(|table| (table, name))
    }

    /// Takes note of where something is declared; reports it if it is declared already or its name cannot be.
    fn declare(&mut self, at: &Address, place: &Place) -> bool {
        if let Some(first) = self.spans.get(at).cloned() {
            let error = self.error(Code::DeclaredTwice, place, format!("{at} is declared twice"));
            *error = error.clone().related(&first, "it is declared here");
            return false;
        }
        // The names of some kinds are texts made of other names.
        let is_text = matches!(at.kind(), ObjectKind::Other | ObjectKind::DefaultPrivileges);
        if let Err(says) = self.dialect.check_name(at.name())
            && !is_text
        {
            self.error(Code::NameRefused, place, says);
        }
        self.spans.insert(at.clone(), place.clone());
        true
    }

    /// Declares an object.
    fn insert(&mut self, at: Address, place: &Place, object: Object) {
        if self.declare(&at, place) {
            self.schema.objects.insert(at, object.into());
        }
    }

    /// The tables, for did-you-mean: the declared name nearest to a wrong one.
    fn near_relation(&self, wrong: &Qualified) -> Option<String> {
        let tables: Vec<_> = self.schema.tables().map(|(at, _)| at).filter(|at| at != wrong).collect();
        let full = tables.iter().find(|at| at.name == wrong.name).map(ToString::to_string);
        full.or_else(|| {
            let names = tables.iter().filter(|at| at.schema == wrong.schema).map(|at| at.name.as_str());
            nearest(wrong.name.as_str(), names).map(str::to_owned)
        })
    }

    /// The engine's spelling of a declared type.
    fn data_type(&mut self, declared: &str, place: &Place) -> String {
        let spelt = self.dialect.data_type(declared, &self.schema);
        match spelt.or_else(|unknown| self.dialect.data_type(declared, &self.rows).map_err(|_| unknown)) {
            Ok(data_type) => data_type,
            Err(unknown) => {
                let says = format!("{} knows no type `{declared}`", self.dialect.engine());
                let help = unknown.near.map_or_else(
                    || "declare it, or the extension that brings it".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.error(Code::UnknownType, place, says).help = Some(help);
                declared.to_owned()
            }
        }
    }

    /// Which part of the database the specs speak about.
    fn manage(&mut self) {
        for manage in self.document.files.iter().filter_map(|f| f.manage.as_ref()) {
            let schemas = manage.schemas.as_ref().map(|list| &list.0);
            self.managed.schemas =
                schemas.map(|list| list.iter().filter_map(|s| self.named(&s.place, Name::new(&*s.value))).collect());
            self.managed.exclude = manage.exclude.iter().map(|pattern| pattern.value.clone()).collect();
        }
    }

    /// Gives what was resolved, put into the engine's form.
    fn finish(mut self) -> Result<Intent, Vec<Diagnostic>> {
        let goal = match self.dialect.normalize(mem::take(&mut self.schema)) {
            Ok(goal) => goal,
            Err(complaints) => {
                for complaint in complaints {
                    self.complain(complaint);
                }
                Schema::default()
            }
        };
        if !self.errors.is_empty() {
            diagnostic::sort(&mut self.errors);
            return Err(self.errors);
        }
        let specs_digest = self.digest(&goal);
        Ok(Intent {
            goal,
            specs_digest,
            spans: self.spans,
            table_moves: self.table_moves,
            column_moves: self.column_moves,
            constraint_moves: self.constraint_moves,
            object_moves: self.object_moves,
            enum_value_moves: self.enum_value_moves,
            fills: self.fills,
            sources: self.sources,
            rows: self.declared_rows,
            rows_left: self.rows_left,
            declared_checks: self.declared_checks,
            declared_probes: self.declared_probes,
            declared_datasets: self.declared_datasets,
            removed: self.removed.into_keys().collect(),
            to_save: self.to_save,
            managed: self.managed,
        })
    }

    /// Reports what the engine cannot have, at the place of what it is about.
    fn complain(&mut self, complaint: Complaint) {
        let table = complaint.at.relation().map(|of| Address::table(&of));
        let places = [Some(complaint.at.clone()), Some(complaint.at.holder()), table];
        let place = places.into_iter().flatten().find_map(|at| self.spans.get(&at).cloned());
        let mut error = Diagnostic::new(Code::EngineCannot, complaint.says);
        error.help = complaint.help;
        self.errors.push(match place {
            Some(place) => error.at(&place),
            None => error,
        });
    }

    /// The fingerprint of what the specs mean, wherever it is written.
    fn digest(&self, goal: &Schema) -> Fingerprint {
        let moves: BTreeSet<String> =
            [&self.table_moves, &self.column_moves, &self.constraint_moves, &self.object_moves]
                .into_iter()
                .flatten()
                .map(|m| format!("{} to {}", m.from, m.to))
                .collect();
        let values: BTreeSet<_> = self.enum_value_moves.iter().map(|m| (m.of.to_string(), &m.from, &m.to)).collect();
        let fills: BTreeMap<_, _> = self.fills.iter().map(|(at, t)| (at.to_string(), (&t.set, t.batch_rows))).collect();
        // A spec that has none of this keeps the digest that it had before there was any of it.
        let plain = |t: &Transform| {
            Fingerprint::of(&(
                &t.set,
                &t.uuids,
                &t.maps,
                &t.once,
                &t.only,
                t.rejects_unmapped,
                &t.rejects,
                t.max_rejects,
                t.batch_rows,
            ))
        };
        let parts = |t: &Transform| match t.back.is_empty() {
            true => plain(t),
            false => Fingerprint::of(&(plain(t), &t.back)),
        };
        let chosen = self.fills.iter().filter(|(_, t)| {
            !t.back.is_empty()
                || t.once.is_some()
                || !t.uuids.is_empty()
                || !t.maps.is_empty()
                || t.only.is_some()
                || !t.rejects.is_empty()
        });
        let chosen: BTreeMap<_, _> = chosen.map(|(at, t)| (at.to_string(), parts(t))).collect();
        let source =
            |s: &Source| Fingerprint::of(&(&s.from, &s.join, &s.group_by, &s.key, s.on_conflict, parts(&s.transform)));
        let sources = self.sources.iter().map(|(at, all)| (at.to_string(), all.iter().map(source).collect::<Vec<_>>()));
        let rows: BTreeMap<_, _> = self.declared_rows.iter().map(|(at, rows)| (at.to_string(), rows)).collect();
        let more = (chosen, sources.collect::<BTreeMap<_, _>>(), rows);
        let removed: Vec<_> = self.removed.keys().collect();
        let plain = (goal, moves, values, fills, removed, &self.managed);
        let by_name = |name: &str, rest: Fingerprint| (name.to_owned(), rest);
        let checks = self.declared_checks.iter().map(|d| by_name(&d.what.name, Fingerprint::of(&(&d.what, &d.of))));
        let probes = self.declared_probes.iter().map(|d| by_name(&d.what.name, Fingerprint::of(&(&d.what, &d.of))));
        let datasets = self.declared_datasets.iter().map(|d| by_name(&d.what.name, Fingerprint::of(&(&d.what, &d.of))));
        let (checks, probes) = (checks.collect::<BTreeMap<_, _>>(), probes.collect::<BTreeMap<_, _>>());
        let datasets: BTreeMap<_, _> = datasets.collect();
        // What nobody declares leaves the digest as it was before it could be declared.
        let digest = match (checks.is_empty() && probes.is_empty(), datasets.is_empty()) {
            (true, true) => Fingerprint::of(&plain),
            (false, true) => Fingerprint::of(&(plain, checks, probes)),
            (_, false) => Fingerprint::of(&(plain, checks, probes, datasets)),
        };
        let digest = if more.0.is_empty() && more.1.is_empty() && more.2.is_empty() {
            digest
        } else {
            Fingerprint::of(&(digest, more))
        };
        let to_save: Vec<_> = self.to_save.iter().map(|(what, _)| what).collect();
        let digest = if to_save.is_empty() { digest } else { Fingerprint::of(&(digest, to_save)) };
        if self.rows_left.is_empty() { digest } else { Fingerprint::of(&(digest, &self.rows_left)) }
    }
}

/// Settings by name.
fn options(said: &Names<Scalar>) -> BTreeMap<String, String> {
    said.0.iter().map(|e| (e.name.value.clone(), e.value.0.value.clone())).collect()
}

/// The value that was said.
fn value<T: Clone>(said: &Option<Said<T>>) -> Option<T> {
    said.as_ref().map(|s| s.value.clone())
}

/// Whether a truth was said and is true.
fn is_true(said: &Option<Said<bool>>) -> bool {
    said.as_ref().is_some_and(|s| s.value)
}

/// A declared rename of an object with an own address.
fn object_move(kind: ObjectKind, from: &Qualified, to: &Qualified, place: &Place) -> Move {
    Move { from: Address::new(kind, from), to: Address::new(kind, to), place: place.clone() }
}
