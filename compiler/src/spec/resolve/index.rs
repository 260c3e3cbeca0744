//! Indexes, and the names of those declared without one.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Name, Object, ObjectKind, Qualified, Sql,
    schema::{Index, IndexPart, IndexedBy, Validity},
};

use super::{Resolver, is_true, object_move, options, value};
use crate::{
    diagnostic::{Code, Place},
    spec::{
        Text,
        language::{IndexPartSpec, IndexSpec},
        names,
        node::Said,
    },
};

impl<'a> Resolver<'a> {
    /// Declares all indexes: first those with a name, so that the names made for the others avoid them.
    pub(super) fn indexes(&mut self) {
        let mut all: Vec<(Qualified, &'a IndexSpec)> = Vec::new();
        for (at, _, spec) in self.table_specs() {
            all.extend(spec.indexes.iter().map(|index| (at.clone(), index)));
        }
        for (name, spec) in self.section(|f| &f.materialized_views) {
            if let Some(at) = self.qualify_again(name) {
                all.extend(spec.indexes.iter().map(|index| (at.clone(), index)));
            }
        }
        let (named, unnamed): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, spec)| spec.name.is_some());
        for (table, spec) in named.into_iter().chain(unnamed) {
            self.index(&table, spec);
        }
    }

    /// The object that a path means, where it was reported already if it means none.
    fn qualify_again(&self, name: &Text) -> Option<Qualified> {
        let mut parts = mig_plan::split_path(name.value.trim()).ok()?;
        let last = parts.pop()?;
        let at = Qualified::new(parts.pop().or_else(|| self.dialect.default_schema()), last);
        let declared = self.spans.get(&Address::new(ObjectKind::MaterializedView, &at)) == Some(&name.place);
        declared.then_some(at)
    }

    fn index(&mut self, table: &Qualified, spec: &IndexSpec) {
        if spec.columns.0.is_empty() {
            self.error(Code::BadValue, &spec.place, "an index needs at least one column");
        }
        let index = Index {
            table: table.clone(),
            unique: is_true(&spec.unique),
            method: value(&spec.method),
            parts: spec.columns.0.iter().filter_map(|part| self.part(table, &part.0)).collect(),
            include: self.indexed_columns(table, &spec.include),
            predicate: spec.predicate.as_ref().map(|text| Sql::new(&*text.value)),
            nulls_not_distinct: is_true(&spec.nulls_not_distinct),
            options: options(&spec.options),
            validity: Validity::Valid,
        };
        let name = match &spec.name {
            Some(said) => match self.named(&said.place, names::column(&said.value)) {
                Some(name) => name,
                None => return,
            },
            None => {
                let dialect = self.dialect;
                dialect.default_index_name(&index, self.relation_names(table))
            }
        };
        let at = self.dialect.index_at(table, &name);
        if let Some(said) = &spec.was
            && let Some(from) = self.named(&said.place, names::column(&said.value))
        {
            self.object_moves.push(object_move(
                ObjectKind::Index,
                &self.dialect.index_at(table, &from),
                &at,
                &said.place,
            ));
        }
        let place = spec.name.as_ref().map_or(&spec.place, |said| &said.place);
        if let Some(taken) = self.taken.get_mut(&at.schema) {
            taken.insert(at.name.clone());
        }
        self.insert(
            Address::index(&at),
            place,
            Object { comment: value(&spec.comment), ..Object::new(Body::Index(index)) },
        );
    }

    /// The names that an index of a table cannot have. Collected once for each place in which names must differ, and kept up with
    /// the indexes that come to it.
    fn relation_names(&mut self, table: &Qualified) -> &BTreeSet<Name> {
        let under = self.dialect.index_at(table, &table.name).schema;
        if !self.taken.contains_key(&under) {
            let names = self.collect_names(table, &under);
            self.taken.insert(under.clone(), names);
        }
        self.taken.entry(under).or_default()
    }

    fn collect_names(&self, table: &Qualified, under: &Option<Name>) -> BTreeSet<Name> {
        use ObjectKind::{Index, MaterializedView, Sequence, Table, View, VirtualTable};
        if *under != table.schema {
            let own = self.schema.objects.keys().filter(|at| at.is_index_under(table));
            return own.map(|at| at.name().clone()).collect();
        }
        let relations = self.schema.objects.keys().filter(|at| {
            matches!(at.kind(), Table | Index | Sequence | View | MaterializedView | VirtualTable)
                && at.qualified().schema == table.schema
        });
        let keys = self.schema.tables().filter(|(at, _)| at.schema == table.schema).flat_map(|(_, found)| {
            found.constraints.iter().filter(|(_, c)| c.key().is_some()).map(|(name, _)| name.clone())
        });
        relations.map(|at| at.name().clone()).chain(keys).collect()
    }

    /// Columns of a table; those of a materialized view are not known before it is there.
    fn indexed_columns(&mut self, table: &Qualified, said: &[Text]) -> Vec<Name> {
        if self.schema.table(table).is_some() { self.known_columns(table, said) } else { self.column_names(said) }
    }

    fn part(&mut self, table: &Qualified, spec: &IndexPartSpec) -> Option<IndexPart> {
        let what = match (&spec.column, &spec.expr) {
            (Some(column), None) => IndexedBy::Column(self.indexed_columns(table, std::slice::from_ref(column)).pop()?),
            (None, Some(expr)) => IndexedBy::Expression(Sql::new(&*expr.value)),
            _ => {
                self.error(Code::Contradiction, &spec.place, "a part of an index is either a `column` or an `expr`");
                return None;
            }
        };
        let nulls_first = match spec.nulls.as_ref().map(|said| (said.value.as_str(), said)) {
            None => None,
            Some(("first", _)) => Some(true),
            Some(("last", _)) => Some(false),
            Some((other, said)) => {
                self.error(Code::BadValue, &said.place, format!("NULLs come `first` or `last`, not `{other}`"));
                None
            }
        };
        Some(IndexPart {
            what,
            collation: value(&spec.collation),
            opclass: value(&spec.opclass),
            descending: is_true(&spec.desc),
            nulls_first,
        })
    }
}

/// Whether the short form of an index part reads as that part.
pub(crate) fn reads_as_part(short: &str, part: &IndexPart) -> bool {
    let place = Place::new(String::new(), 0..0);
    let read = names::index_part(Said { value: short.to_owned(), place: place.clone() }, place);
    let what = match (&read.column, &read.expr) {
        (Some(column), None) => names::column(&column.value).ok().map(IndexedBy::Column),
        (None, Some(expr)) => Some(IndexedBy::Expression(Sql::new(&*expr.value))),
        _ => None,
    };
    what.as_ref() == Some(&part.what)
        && part.collation.is_none()
        && part.opclass.is_none()
        && is_true(&read.desc) == part.descending
        && value(&read.nulls).as_deref() == part.nulls_first.map(|first| if first { "first" } else { "last" })
}
