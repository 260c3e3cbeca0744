//! Everything but tables: schemas, extensions, types, sequences, views, and what is declared by its SQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Name, Object, ObjectKind, Qualified, Sql,
    schema::{Domain, Extension, Sequence, SequenceOptions, Source, View},
    split_path,
};

use super::{Resolver, is_true, object_move, options, value};
use crate::{
    diagnostic::{Code, Place},
    intent::{Move, ValueMove},
    spec::{
        Text,
        language::{DomainSpec, EnumSpec, SourceSpec},
        names,
        node::Said,
    },
};

/// Takes the numbers of a sequence from a spec that has them.
macro_rules! sequence_options {
    ($spec:expr) => {
        SequenceOptions {
            start: $crate::spec::resolve::value(&$spec.start),
            increment: $crate::spec::resolve::value(&$spec.increment),
            min: $crate::spec::resolve::value(&$spec.min),
            max: $crate::spec::resolve::value(&$spec.max),
            cache: $crate::spec::resolve::value(&$spec.cache),
            cycle: $crate::spec::resolve::is_true(&$spec.cycle),
        }
    };
}
pub(super) use sequence_options;

impl<'a> Resolver<'a> {
    /// Declares all objects that are no tables. Types come first, for others use them.
    pub(super) fn objects(&mut self) {
        self.namespaces();
        for (name, spec) in self.section(|f| &f.enums) {
            self.enumeration(name, spec);
        }
        self.types();
        self.domains();
        for (name, spec) in self.section(|f| &f.sequences) {
            let Some(at) = self.qualify(&name.value, &name.place) else { continue };
            self.object_was(ObjectKind::Sequence, &at, &spec.was);
            let data_type = match &spec.data_type {
                Some(said) => self.data_type(&said.value, &said.place),
                None => "bigint".to_owned(),
            };
            let owner = spec.owned_by.as_ref().and_then(|said| self.member(&said.value, &said.place));
            let owned_by = owner.map(|(table, column)| Address::column(&table, &column));
            let body = Body::Sequence(Sequence { data_type, options: sequence_options!(spec), owned_by });
            let object = Object { comment: value(&spec.comment), grants: self.grants(&spec.grants), body };
            self.insert(Address::new(ObjectKind::Sequence, &at), &name.place, object);
        }
        self.views();
        self.sources();
    }

    fn namespaces(&mut self) {
        for (name, spec) in self.section(|f| &f.schemas) {
            if let Some(at) = self.single(name) {
                let object = Object {
                    comment: value(&spec.comment),
                    grants: self.grants(&spec.grants),
                    body: Body::Namespace {},
                };
                let at = Address::global(ObjectKind::Namespace, at);
                if let Some(said) = &spec.was
                    && let Some(from) = self.single(said)
                {
                    let from = Address::global(ObjectKind::Namespace, from);
                    self.object_moves.push(Move { from, to: at.clone(), place: said.place.clone() });
                }
                self.insert(at, &name.place, object);
            }
        }
        for (name, spec) in self.section(|f| &f.default_privileges) {
            let Some(at) = self.named(&name.place, Name::new(name.value.trim())) else { continue };
            if let Some(was) = &spec.was {
                let says = "default privileges have no name of their own".to_owned();
                self.error(Code::EngineCannot, &was.place, says).help = Some("leave `was` out".to_owned());
            }
            let object = Object {
                comment: value(&spec.comment),
                grants: self.grants(&spec.grants),
                body: Body::DefaultPrivileges {},
            };
            self.insert(Address::global(ObjectKind::DefaultPrivileges, at), &name.place, object);
        }
        for (name, spec) in self.section(|f| &f.extensions) {
            let Some(at) = self.single(name) else { continue };
            let schema = spec.schema.as_ref().and_then(|s| self.single(s));
            let body = Body::Extension(Extension { schema, version: value(&spec.version) });
            let object = Object { comment: value(&spec.comment), ..Object::new(body) };
            self.insert(Address::global(ObjectKind::Extension, at), &name.place, object);
        }
    }

    /// A name that has no schema.
    fn single(&mut self, text: &Text) -> Option<Name> {
        self.named(&text.place, names::column(&text.value))
    }

    /// Takes note of a declared rename.
    fn object_was(&mut self, kind: ObjectKind, to: &Qualified, was: &Option<Text>) {
        if let Some(said) = was
            && let Some(from) = self.qualify(&said.value, &said.place)
        {
            self.object_moves.push(object_move(kind, &from, to, &said.place));
        }
    }

    fn enumeration(&mut self, name: &Text, spec: &EnumSpec) {
        let Some(at) = self.qualify(&name.value, &name.place) else { return };
        self.object_was(ObjectKind::Enum, &at, &spec.was);
        let address = Address::new(ObjectKind::Enum, &at);
        let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
        for value in spec.values.0.iter().map(|v| &v.0) {
            if let Some(first) = seen.insert(&value.value.value, &value.place) {
                let says = format!("the value `{}` is declared twice", value.value.value);
                let error = self.error(Code::DeclaredTwice, &value.place, says);
                *error = error.clone().related(first, "it is declared here");
            }
            if let Some(was) = &value.was {
                let (from, to) = (was.value.clone(), value.value.value.clone());
                let place = was.place.clone();
                self.enum_value_moves.push(ValueMove { of: address.clone(), from, to, place });
            }
        }
        let values = spec.values.0.iter().map(|v| v.0.value.value.clone()).collect();
        let grants = self.grants(&spec.grants);
        self.insert(
            address,
            &name.place,
            Object { comment: value(&spec.comment), grants, body: Body::Enum { values } },
        );
    }

    /// Domains may rest on each other, so all are declared before the types below them are looked up.
    fn domains(&mut self) {
        let mut bases = Vec::new();
        for (name, spec) in self.section(|f| &f.domains) {
            let Some(at) = self.qualify(&name.value, &name.place) else { continue };
            self.object_was(ObjectKind::Domain, &at, &spec.was);
            let address = Address::new(ObjectKind::Domain, &at);
            let (checks, comments) = self.domain_checks(&at, spec);
            let domain = Domain {
                base: spec.data_type.value.clone(),
                not_null: is_true(&spec.not_null),
                default: spec.default.as_ref().map(|d| Sql::new(&*d.0.value)),
                collation: value(&spec.collation),
                checks,
                comments,
            };
            let object =
                Object { comment: value(&spec.comment), grants: self.grants(&spec.grants), body: Body::Domain(domain) };
            self.insert(address.clone(), &name.place, object);
            bases.push((address, &spec.data_type));
        }
        for (address, said) in bases {
            let base = self.data_type(&said.value, &said.place);
            if let Some(Body::Domain(domain)) =
                self.schema.objects.get_mut(&address).map(|o| &mut Arc::make_mut(o).body)
            {
                domain.base = base;
            }
        }
    }

    /// The checks, and the comments on them.
    fn domain_checks(&mut self, at: &Qualified, spec: &DomainSpec) -> (BTreeMap<Name, Sql>, BTreeMap<Name, String>) {
        let (mut checks, mut comments) = (BTreeMap::new(), BTreeMap::new());
        let (named, unnamed): (Vec<_>, Vec<_>) = spec.checks.iter().partition(|c| c.name.is_some());
        for (check, said) in named.iter().filter_map(|c| c.name.as_ref().map(|name| (c, name))) {
            let Some(name) = self.single(said) else { continue };
            comments.extend(value(&check.comment).map(|text| (name.clone(), text)));
            if checks.insert(name, Sql::new(&*check.expr.value)).is_some() {
                self.error(Code::DeclaredTwice, &said.place, format!("the check `{}` is declared twice", said.value));
            }
        }
        for check in unnamed {
            if let Some(name) = default_domain_check(at, &checks.keys().cloned().collect()) {
                comments.extend(value(&check.comment).map(|text| (name.clone(), text)));
                checks.insert(name, Sql::new(&*check.expr.value));
            }
        }
        (checks, comments)
    }

    fn views(&mut self) {
        for (name, spec) in self.section(|f| &f.views) {
            let Some(at) = self.qualify(&name.value, &name.place) else { continue };
            self.object_was(ObjectKind::View, &at, &spec.was);
            let columns = self.column_names(&spec.columns);
            let view = View { query: statement(&spec.query.value), columns, options: options(&spec.options) };
            let object =
                Object { comment: value(&spec.comment), grants: self.grants(&spec.grants), body: Body::View(view) };
            self.insert(Address::new(ObjectKind::View, &at), &name.place, object);
        }
        for (name, spec) in self.section(|f| &f.materialized_views) {
            let Some(at) = self.qualify(&name.value, &name.place) else { continue };
            self.object_was(ObjectKind::MaterializedView, &at, &spec.was);
            let columns = self.column_names(&spec.columns);
            let view = View { query: statement(&spec.query.value), columns, options: options(&spec.options) };
            let object =
                Object { comment: value(&spec.comment), grants: self.grants(&spec.grants), body: Body::View(view) };
            self.insert(Address::new(ObjectKind::MaterializedView, &at), &name.place, object);
        }
    }

    /// The column names of a list.
    pub(super) fn column_names(&mut self, list: &[Text]) -> Vec<Name> {
        list.iter().filter_map(|text| self.named(&text.place, names::column(&text.value))).collect()
    }

    fn types(&mut self) {
        for (name, spec) in self.section(|f| &f.types) {
            if let Some(at) = self.qualify(&name.value, &name.place) {
                self.object_was(ObjectKind::Type, &at, &spec.was);
                self.source(Address::new(ObjectKind::Type, &at), name, spec);
            }
        }
    }

    fn sources(&mut self) {
        for kind in [ObjectKind::Collation, ObjectKind::Statistics, ObjectKind::Event, ObjectKind::VirtualTable] {
            for (name, spec) in self.of_kind(kind) {
                if let Some(at) = self.qualify(&name.value, &name.place) {
                    self.plain_source(Address::new(kind, &at), name, spec);
                }
            }
        }
        for kind in [ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Aggregate] {
            for (name, spec) in self.of_kind(kind) {
                if let Some(at) = self.routine(kind, &name.value, &name.place) {
                    self.plain_source(at, name, spec);
                }
            }
        }
        for kind in [ObjectKind::Trigger, ObjectKind::Policy, ObjectKind::Rule] {
            for (name, spec) in self.of_kind(kind) {
                if let Some((table, member)) = self.member(&name.value, &name.place) {
                    self.plain_source(Address::member(kind, &table, member), name, spec);
                }
            }
        }
        for (name, spec) in self.of_kind(ObjectKind::Other) {
            if let Some(at) = self.named(&name.place, Name::new(name.value.trim())) {
                self.plain_source(Address::global(ObjectKind::Other, at), name, spec);
            }
        }
        for (name, spec) in self.of_kind(ObjectKind::EventTrigger) {
            if let Some(at) = self.single(name) {
                self.plain_source(Address::global(ObjectKind::EventTrigger, at), name, spec);
            }
        }
    }

    /// The section of a kind that is declared by its SQL.
    fn of_kind(&self, kind: ObjectKind) -> Vec<(&'a Text, &'a SourceSpec)> {
        self.section(move |file| match kind {
            ObjectKind::Collation => &file.collations,
            ObjectKind::Statistics => &file.statistics,
            ObjectKind::VirtualTable => &file.virtual_tables,
            ObjectKind::Function => &file.functions,
            ObjectKind::Procedure => &file.procedures,
            ObjectKind::Aggregate => &file.aggregates,
            ObjectKind::Trigger => &file.triggers,
            ObjectKind::Policy => &file.policies,
            ObjectKind::Rule => &file.rules,
            ObjectKind::EventTrigger => &file.event_triggers,
            ObjectKind::Other => &file.objects,
            ObjectKind::Event => &file.events,
            _ => &file.types,
        })
    }

    /// The address of `name(argument types)`.
    fn routine(&mut self, kind: ObjectKind, text: &str, place: &Place) -> Option<Address> {
        let (path, signature) = self.named(place, names::parenthesised(text))?;
        let Some(signature) = signature else {
            let says = format!("`{text}` does not say which arguments it takes");
            self.error(Code::BadName, place, says).help = Some(format!("write `{text}()` if it takes none"));
            return None;
        };
        self.qualify(path, place).map(|at| Address::routine(kind, &at, signature))
    }

    /// Declares an object that is declared by its SQL, with the name that it had.
    fn plain_source(&mut self, at: Address, name: &Text, spec: &SourceSpec) {
        if let Some(was) = &spec.was {
            if self.dialect.renames_kind(at.kind()) {
                self.source_was(&at, was);
            } else {
                let says = format!("a {} cannot be renamed by `was`", at.kind());
                self.error(Code::EngineCannot, &was.place, says).help = Some("it is created anew instead".to_owned());
            }
        }
        self.source(at, name, spec);
    }

    /// Takes note of a declared rename. A routine may leave out its arguments where they are the same; a part of a table gives
    /// its own name only.
    fn source_was(&mut self, to: &Address, was: &Text) {
        let from = match (to.relation(), to.signature()) {
            (Some(of), _) => self.single(was).map(|name| Address::member(to.kind(), &of, name)),
            (None, Some(signature)) => match names::parenthesised(&was.value) {
                Ok((_, Some(_))) => self.routine(to.kind(), &was.value, &was.place),
                _ => self.qualify(&was.value, &was.place).map(|at| Address::routine(to.kind(), &at, signature)),
            },
            (None, None) if to.path().len() == 1 => self.single(was).map(|name| Address::global(to.kind(), name)),
            (None, None) => self.qualify(&was.value, &was.place).map(|at| Address::new(to.kind(), &at)),
        };
        self.object_moves.extend(from.map(|from| Move { from, to: to.clone(), place: was.place.clone() }));
    }

    fn source(&mut self, at: Address, name: &Text, spec: &SourceSpec) {
        let create: Vec<_> = spec.sql.0.0.iter().map(|text| statement(&text.value)).collect();
        if create.is_empty() {
            self.error(Code::BadValue, &spec.place, format!("{at} has no statement that creates it"));
        }
        let needs: BTreeSet<_> = spec.needs.iter().filter_map(|text| self.address(text)).collect();
        let object = Object {
            comment: value(&spec.comment),
            grants: self.grants(&spec.grants),
            body: Body::Source(Source { create, needs }),
        };
        self.insert(at, &name.place, object);
    }

    /// The address that `kind path` means: `table users`, `function slug(text)`, `column users.id`.
    pub(super) fn address(&mut self, said: &Said<String>) -> Option<Address> {
        let (text, place) = (said.value.trim(), &said.place);
        let (word, path) = text.split_once(' ').unwrap_or((text, ""));
        let Some(kind) =
            ObjectKind::ALL.iter().copied().find(|k| k.slug() == word || k.slug().replace('-', "_") == word)
        else {
            let says = format!("`{text}` does not begin with a kind of object");
            self.error(Code::BadName, place, says).help = Some("write it like `table users`".to_owned());
            return None;
        };
        match kind {
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => self.routine(kind, path, place),
            ObjectKind::Column
            | ObjectKind::Constraint
            | ObjectKind::Trigger
            | ObjectKind::Policy
            | ObjectKind::Rule => self.member(path, place).map(|(table, name)| Address::member(kind, &table, name)),
            ObjectKind::Namespace | ObjectKind::Extension | ObjectKind::EventTrigger => {
                let mut parts = self.named(place, split_path(path))?;
                parts.pop().map(|name| Address::global(kind, name))
            }
            ObjectKind::Other | ObjectKind::DefaultPrivileges => {
                self.named(place, Name::new(path.trim())).map(|name| Address::global(kind, name))
            }
            ObjectKind::Opaque => format!("opaque {path}").parse().ok(),
            _ => self.qualify(path, place).map(|at| Address::new(kind, &at)),
        }
    }
}

/// The name of a domain's check that is declared without one.
pub(crate) fn default_domain_check(at: &Qualified, taken: &BTreeSet<Name>) -> Option<Name> {
    let base = format!("{}_check", at.name.as_str());
    let numbered = (1..=taken.len()).map(|n| format!("{base}{n}"));
    [base.clone()]
        .into_iter()
        .chain(numbered)
        .filter_map(|text| Name::new(text).ok())
        .find(|name| !taken.contains(name))
}

/// A statement without its final semicolons.
fn statement(text: &str) -> Sql {
    match text.trim_end().strip_suffix(';') {
        Some(rest) => Sql::new(rest.trim_end_matches(|c: char| c == ';' || c.is_whitespace())),
        None => Sql::new(text),
    }
}
