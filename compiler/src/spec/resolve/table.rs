//! Tables and their columns, and how their rows get there.

use std::collections::BTreeMap;

use mig_plan::{
    Address, Body, Column, ColumnValue, Name, Object, Qualified, Sql, Table, UuidVersion,
    kind::{OnConflict, Reject},
};

use super::{Resolver, object::sequence_options, options, value};
use crate::{
    diagnostic::Code,
    intent::{Move, Source, Transform},
    spec::{
        Text,
        language::{ColumnSpec, IdentitySpec, TableSpec, TransformSpec},
        names,
        near::nearest,
    },
};
use mig_plan::schema::SequenceOptions;

impl<'a> Resolver<'a> {
    /// Every declared table that has a name.
    pub(super) fn table_specs(&mut self) -> Vec<(Qualified, &'a Text, &'a TableSpec)> {
        let all = self.section(|f| &f.tables);
        let path = |text: &Text| mig_plan::split_path(text.value.trim()).ok();
        all.into_iter()
            .filter_map(|(name, spec)| {
                let mut parts = path(name)?;
                let last = parts.pop()?;
                Some((Qualified::new(parts.pop().or_else(|| self.dialect.default_schema()), last), name, spec))
            })
            .filter(|(at, name, _)| self.spans.get(&Address::table(at)) == Some(&name.place))
            .collect()
    }

    /// Declares all tables with their columns.
    pub(super) fn tables(&mut self) {
        for (name, spec) in self.section(|f| &f.tables) {
            let Some(at) = self.qualify(&name.value, &name.place) else { continue };
            if let Some(said) = &spec.was
                && let Some(from) = self.qualify(&said.value, &said.place)
            {
                let (from, to) = (Address::table(&from), Address::table(&at));
                self.table_moves.push(Move { from, to, place: said.place.clone() });
            }
            let address = Address::table(&at);
            if self.declare(&address, &name.place) {
                let table = Table { options: options(&spec.options), ..Table::default() };
                let grants = self.grants(&spec.grants);
                let object = Object { comment: value(&spec.comment), grants, body: Body::Table(table) };
                self.schema.objects.insert(address, object.into());
            }
        }
        for (at, _, spec) in self.table_specs() {
            let columns: Vec<_> =
                spec.columns.0.iter().filter_map(|entry| self.column(&at, &entry.name, &entry.value.0)).collect();
            if let Some(table) = self.schema.table_mut(&at) {
                table.columns = columns;
            }
        }
    }

    fn column(&mut self, table: &Qualified, said: &Text, spec: &ColumnSpec) -> Option<Column> {
        let name = self.named(&said.place, names::column(&said.value))?;
        let at = Address::column(table, &name);
        if !self.declare(&at, &said.place) {
            return None;
        }
        if let Some(was) = &spec.was
            && let Some(from) = self.named(&was.place, names::column(&was.value))
        {
            let from = Address::column(table, &from);
            self.column_moves.push(Move { from, to: at, place: was.place.clone() });
        }
        let (declared, marked) = match spec.data_type.value.trim().strip_suffix('?') {
            // A type may end with the mark itself; `null` says then what the mark would.
            Some(bare) if bare.ends_with('?') && spec.null.is_some() => (bare, false),
            Some(bare) => (bare.trim_end(), true),
            None => (spec.data_type.value.trim(), false),
        };
        if let Some(null) = &spec.null
            && marked
            && !null.value
        {
            let says = format!("the column `{name}` is marked with `?` and yet may not be NULL");
            self.error(Code::Contradiction, &null.place, says);
        }
        let nullable = marked || spec.null.as_ref().is_some_and(|n| n.value);
        Some(Column {
            data_type: self.data_type(declared, &spec.data_type.place),
            not_null: !nullable,
            value: self.column_value(&name, spec),
            collation: value(&spec.collation),
            comment: value(&spec.comment),
            options: options(&spec.options),
            name,
        })
    }

    fn column_value(&mut self, name: &Name, spec: &ColumnSpec) -> ColumnValue {
        let said = [spec.default.is_some(), spec.identity.is_some(), spec.generated.is_some()];
        if said.iter().filter(|s| **s).count() > 1 {
            let says = format!("the column `{name}` can have one of `default`, `identity` and `generated`");
            self.error(Code::Contradiction, &spec.place, says);
        }
        if let Some(identity) = &spec.identity {
            return self.identity(&identity.0);
        }
        match (&spec.generated, &spec.default) {
            (Some(generated), _) => ColumnValue::Generated {
                expression: Sql::new(&*generated.0.expression.value),
                stored: generated.0.stored.as_ref().is_none_or(|s| s.value),
            },
            (None, Some(default)) => ColumnValue::Default(Sql::new(&*default.0.value)),
            (None, None) => ColumnValue::Plain,
        }
    }

    fn identity(&mut self, spec: &IdentitySpec) -> ColumnValue {
        let always = match spec.generated.value.as_str() {
            "always" => true,
            "by default" => false,
            other => {
                let says = format!("an identity is generated `always` or `by default`, not `{other}`");
                self.error(Code::BadValue, &spec.generated.place, says);
                false
            }
        };
        ColumnValue::Identity { always, sequence: sequence_options!(spec) }
    }

    /// Takes up the transforms.
    pub(super) fn transforms(&mut self) {
        for (name, spec) in self.section(|f| &f.transforms) {
            let Some(at) = self.qualify(&name.value, &name.place) else { continue };
            if !self.known_table(&at, &name.place) {
                continue;
            }
            for spec in &spec.0 {
                let transform = self.transform(&at, spec, &name.place);
                if let Some(from) = &spec.from {
                    self.made_from(&at, from, spec, transform);
                    continue;
                }
                self.without_source(spec);
                if let Some(first) = self.fills.insert(at.clone(), transform).map(|t| t.place) {
                    let says = format!("two transforms for the table {at}");
                    let error = self.error(Code::DeclaredTwice, &name.place, says);
                    *error = error.clone().related(&first, "it is declared here");
                }
            }
        }
    }

    /// Reports keys that speak of a source where there is none.
    fn without_source(&mut self, spec: &TransformSpec) {
        let lists = [&spec.group_by, &spec.key].into_iter().filter_map(|list| list.first());
        let said: Vec<_> = lists.chain(&spec.join).chain(&spec.on_conflict).map(|said| said.place.clone()).collect();
        for place in said {
            self.error(Code::Contradiction, &place, "this speaks of the rows of `from`, and there is no `from`");
        }
    }

    /// A new table that gets its rows from another.
    fn made_from(&mut self, at: &Qualified, said: &Text, spec: &TransformSpec, transform: Transform) {
        let Some(from) = self.qualify(&said.value, &said.place) else { return };
        if from == *at {
            self.error(Code::Contradiction, &said.place, format!("{at} cannot get its rows from itself"));
        }
        let on_conflict = spec.on_conflict.as_ref().map_or(OnConflict::Error, |word| {
            OnConflict::ALL.into_iter().find(|choice| choice.word() == word.value).unwrap_or_else(|| {
                let says = format!("a conflict is `error`, `skip` or `update`, not `{}`", word.value);
                self.error(Code::BadValue, &word.place, says);
                OnConflict::Error
            })
        });
        let key: Vec<Name> = spec.key.iter().filter_map(|name| self.known_column(at, name)).collect();
        let group_by = spec.group_by.iter().map(|sql| Sql::new(&*sql.value)).collect();
        let join = spec.join.as_ref().map(|sql| Sql::new(&*sql.value));
        let source = Source { from, join, group_by, key, on_conflict, transform };
        self.sources.entry(at.clone()).or_default().push(source);
    }

    fn transform(&mut self, at: &Qualified, spec: &TransformSpec, place: &crate::Place) -> Transform {
        let (mut set, mut maps, mut columns) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for entry in &spec.set.0 {
            if let Some(column) = self.known_column(at, &entry.name) {
                columns.insert(column.clone(), entry.value.place.clone());
                set.insert(column, Sql::new(&*entry.value.value));
            }
        }
        let back = self.ways_back(at, spec);
        for entry in &spec.map.0 {
            let Some(column) = self.known_column(at, &entry.name) else { continue };
            if entry.value.0.is_empty() {
                let says = format!("the map of {column} names no value");
                self.error(Code::MissingKey, &entry.name.place, says).help =
                    Some("write what each old value becomes, as in `map.state = { o = \"open\" }`".to_owned());
            }
            let pairs = entry.value.0.iter().map(|pair| (pair.name.value.clone(), pair.value.0.value.clone()));
            columns.entry(column.clone()).or_insert_with(|| entry.name.place.clone());
            maps.insert(column, pairs.collect());
        }
        let batch_rows = spec.batch_rows.as_ref().and_then(|rows| {
            let many = u32::try_from(rows.value).ok().filter(|rows| *rows > 0);
            if many.is_none() {
                self.error(Code::BadValue, &rows.place, "`batch_rows` is a number of rows, at least 1");
            }
            many
        });
        let only = spec.only.as_ref().map(|sql| Sql::new(&*sql.value));
        let mut uuids = BTreeMap::new();
        for (version, named) in [(UuidVersion::Three, &spec.uuid3), (UuidVersion::Five, &spec.uuid5)] {
            for entry in &named.0 {
                let Some(column) = self.known_column(at, &entry.name) else { continue };
                let said = &entry.value.namespace;
                let digits: String = said.value.chars().filter(|c| *c != '-').collect();
                if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                    self.error(Code::BadValue, &said.place, "a namespace is an id of 32 hex digits");
                }
                let taken = set.contains_key(&column) || maps.contains_key(&column);
                let id = (version, digits.to_lowercase(), Sql::new(&*entry.value.name.value));
                columns.insert(column.clone(), entry.name.place.clone());
                if uuids.insert(column.clone(), id).is_some() || taken {
                    self.error(Code::DeclaredTwice, &entry.name.place, format!("{column} gets its value twice"));
                }
            }
        }
        let rejects = spec
            .rejects
            .iter()
            .map(|rule| Reject { when: Sql::new(&*rule.when.value), reason: rule.reason.value.clone() });
        let rejects = rejects.collect();
        let rejects_unmapped = self.rejects_unmapped(spec);
        let varies = super::is_true(&spec.varies);
        let once = super::value(&spec.once);
        if let (Some(said), Some(_)) = (&spec.once, &spec.from) {
            self.error(
                Code::Contradiction,
                &said.place,
                "a new table gets its rows in the plan that makes it, so once anyway",
            );
        }
        let max_rejects = spec.max_rejects.as_ref().map_or(0, |most| {
            u64::try_from(most.value).unwrap_or_else(|_| {
                self.error(Code::BadValue, &most.place, "`max_rejects` is a number of rows, 0 or more");
                0
            })
        });
        let place = place.clone();
        Transform {
            set,
            back,
            uuids,
            maps,
            only,
            once,
            varies,
            rejects_unmapped,
            rejects,
            max_rejects,
            batch_rows,
            place,
            columns,
        }
    }

    /// What columns that go are made from until then.
    fn ways_back(&mut self, at: &Qualified, spec: &TransformSpec) -> BTreeMap<Name, Sql> {
        let mut back = BTreeMap::new();
        for entry in &spec.back.0 {
            let said = &entry.name;
            let Some(column) = self.named(&said.place, names::column(&said.value)) else { continue };
            if self.schema.table(at).is_some_and(|table| table.column(&column).is_some()) {
                let says = format!("{column} stays: `back` is for a column that goes");
                let help =
                    format!("leave {column} out of the table's columns, or `back.{column}` out of the transform");
                self.error(Code::Contradiction, &said.place, says).help = Some(help);
            }
            back.insert(column, Sql::new(&*entry.value.value));
        }
        if let (Some(said), Some(first)) = (&spec.from, spec.back.0.first()) {
            let says = format!("`back` is for columns of the table itself, and its rows are made from {}", said.value);
            self.error(Code::Contradiction, &first.name.place, says);
        }
        back
    }

    fn rejects_unmapped(&mut self, spec: &TransformSpec) -> bool {
        let Some(said) = &spec.unmapped else { return false };
        if spec.map.0.is_empty() {
            self.error(Code::Contradiction, &said.place, "`unmapped` speaks of a `map`, and there is none");
        }
        if !matches!(said.value.as_str(), "keep" | "reject") {
            let says = format!("what a map does not name is to `keep` or to `reject`, not `{}`", said.value);
            self.error(Code::BadValue, &said.place, says);
        }
        said.value == "reject"
    }

    /// Whether a table is declared; reports it if it is not.
    pub(super) fn known_table(&mut self, at: &Qualified, place: &crate::Place) -> bool {
        if self.schema.table(at).is_some() {
            return true;
        }
        let help = self.near_relation(at).map(|near| format!("did you mean `{near}`?"));
        self.error(Code::UnknownTable, place, format!("there is no table {at}")).help = help;
        false
    }

    /// The column of a declared table that a text names; reports it if there is none.
    pub(super) fn known_column(&mut self, table: &Qualified, said: &Text) -> Option<Name> {
        let name = self.named(&said.place, names::column(&said.value))?;
        self.has_column(table, &name, &said.place).then_some(name)
    }

    /// The declared tables over a table, whose columns it has too.
    pub(super) fn above(&self, table: &Qualified) -> Vec<Qualified> {
        let home = |at: Qualified| Qualified::new(at.schema.or_else(|| self.dialect.default_schema()), at.name);
        let of = |at: &Qualified| self.schema.table(at).map(|t| self.dialect.parents(t)).unwrap_or_default();
        let mut found: Vec<Qualified> = of(table).into_iter().map(home).collect();
        let mut next = 0;
        while let Some(at) = found.get(next) {
            let more: Vec<_> = of(at).into_iter().map(home).filter(|at| !found.contains(at)).collect();
            found.extend(more);
            next += 1;
        }
        found
    }

    /// Whether a table has a column; reports it if it has not.
    pub(super) fn has_column(&mut self, table: &Qualified, name: &Name, place: &crate::Place) -> bool {
        let Some(found) = self.schema.table(table) else { return false };
        if found.column(name).is_some() {
            return true;
        }
        let above = self.above(table);
        let mut above = above.iter().filter_map(|at| self.schema.table(at));
        if above.any(|parent| parent.column(name).is_some()) {
            return true;
        }
        let near = nearest(name.as_str(), found.columns.iter().map(|c| c.name.as_str()));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.error(Code::UnknownColumn, place, format!("the table {table} has no column {name}")).help = help;
        false
    }
}
