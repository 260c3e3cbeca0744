//! The pure half of the engine: names, types, spelling, recipes, SQL.

mod bound;
mod casts;
mod deferred;
mod disturbs;
mod grants;
mod guards;
pub(crate) mod inherit;
mod keep;
mod lacks;
mod lasting;
mod names;
mod normalize;
pub(crate) mod operators;
mod past;
mod published;
mod ranges;
mod recipe;
mod references;
mod render;
mod routine;
mod same;
mod simplify;
#[cfg(test)]
mod tests;
mod types;
mod undo;
pub(crate) mod versions;

#[cfg(feature = "driver")]
pub(crate) use render::{foreign, temporal, view};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, Complaint, Constraint, Context, Dialect, Draft, Group, Kind, Name, Object, ObjectKind, Past,
    Qualified, Rendered, RenderedUndo, Rule, Sameness, Schema, Sql, Statement, Table, UnknownType, UuidVersion,
    kind::AlterColumn,
    schema::{Index, IndexedBy},
    verify::Literal,
};

/// PostgreSQL of one major version, with one default schema.
#[derive(Clone, Debug)]
pub struct Postgres {
    version: String,
    default_schema: Option<Name>,
}

impl Postgres {
    /// A dialect of a major version such as `15`; unqualified names mean `default_schema`, else `public`.
    #[must_use]
    pub fn new(version: &str, default_schema: Option<Name>) -> Self {
        let default_schema = default_schema.or_else(|| Name::new("public").ok());
        Self { version: version.to_owned(), default_schema }
    }

    /// The major version as a number; the oldest supported one where it cannot be told.
    fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|n| n.trim().parse().ok()).unwrap_or(versions::OLDEST)
    }
}

impl Dialect for Postgres {
    fn engine(&self) -> &'static str {
        crate::NAME
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn default_schema(&self) -> Option<Name> {
        self.default_schema.clone()
    }

    fn quote(&self, name: &Name) -> String {
        names::quote(name)
    }

    fn check_name(&self, name: &Name) -> Result<(), String> {
        names::check(name)
    }

    fn data_type(&self, declared: &str, schema: &Schema) -> Result<String, UnknownType> {
        // Without a type it is a parent's column; whether there is one is known only when all tables are.
        if declared.is_empty() {
            return Ok(String::new());
        }
        types::spell(declared, schema, self.default_schema.as_ref())
    }

    fn default_constraint_name(&self, table: &Qualified, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name {
        constraint_name(table, constraint, taken)
    }

    fn default_index_name(&self, index: &Index, taken: &BTreeSet<Name>) -> Name {
        index_name(index, taken)
    }

    fn normalize(&self, declared: Schema) -> Result<Schema, Vec<Complaint>> {
        normalize::normalize(declared, self.default_schema.as_ref(), self.major())
    }

    fn standing(&self) -> Vec<(Address, Object)> {
        let name = Name::new(grants::STANDING).ok().into_iter();
        name.map(|name| (Address::global(ObjectKind::Namespace, name), Object::new(Body::Namespace {}))).collect()
    }

    fn simplify(&self, live: &Schema) -> Schema {
        simplify::simplify(live, self)
    }

    fn same_text(&self, object: &Object, declared: &Sql, catalog: &Sql) -> Sameness {
        same::same(object, declared, catalog, self.default_schema.as_ref())
    }

    fn references(&self, at: &Address, object: &Object, schema: &Schema) -> BTreeSet<Address> {
        references::of(at, object, schema, self.default_schema.as_ref())
    }

    fn slot(&self, at: &Address) -> Address {
        routine::slot(at)
    }

    fn ambiguous(&self, a: (&Address, &Object), b: (&Address, &Object)) -> bool {
        routine::ambiguous(a, b)
    }

    fn mentions(&self, expression: &Sql) -> BTreeSet<Name> {
        references::columns_in(expression)
    }

    fn text(&self, text: &str) -> String {
        names::literal(text)
    }

    fn as_text(&self, value: &str) -> String {
        format!("({value})::text")
    }

    fn overflows(&self, value: &str, data_type: &str) -> Option<String> {
        casts::overflows(value, data_type)
    }

    fn as_literal(&self, column: &Column) -> String {
        format!("pg_catalog.quote_nullable({}::text)", names::quote(&column.name))
    }

    fn tries_rows(&self) -> bool {
        true
    }

    fn kept(&self, change: &Kind) -> Vec<Qualified> {
        keep::places(change)
    }

    fn columns_of(&self, table: &Qualified) -> Statement {
        keep::columns_of(table)
    }

    fn uuid(&self, version: UuidVersion, namespace: &str, name: &Sql, schema: &Schema) -> Result<Sql, String> {
        render::uuid::made(version, namespace, name, schema)
    }

    fn unsteady(&self, expression: &Sql) -> Option<String> {
        casts::unsteady(expression.as_str())
    }

    fn is_one_value(&self, default: &Sql) -> bool {
        !casts::is_volatile(default.as_str())
    }

    fn mapped(&self, value: &str, pairs: &[(String, Literal)], to: &str) -> Sql {
        render::backfill::mapped(value, pairs, to)
    }

    fn named_by_body(&self, at: &Address, routine: &Object, schema: &Schema) -> BTreeSet<Address> {
        let mut named = self.references(at, routine, schema);
        for held in self.references(at, &routine::without_body(routine), schema) {
            named.remove(&held);
        }
        named
    }

    fn trial(&self, statement: &Sql) -> Vec<Statement> {
        vec![Statement::new(statement.as_str()), Statement::new("SET CONSTRAINTS ALL IMMEDIATE")]
    }

    fn parents(&self, table: &Table) -> Vec<Qualified> {
        inherit::parents(table)
    }

    fn shares(&self, at: &Address, schema: &Schema) -> Vec<Qualified> {
        inherit::shares(at, schema)
    }

    fn rename_parent(&self, table: &mut Table, from: &Qualified, to: &Qualified) {
        inherit::rename_parent(table, from, to);
    }

    fn standing_alone(&self, at: &Qualified, schema: &Schema) -> Option<BTreeMap<Address, Arc<Object>>> {
        inherit::standing_alone(at, schema)
    }

    fn divides(&self, from: &Table, to: &Table) -> bool {
        let by = |table: &Table| table.options.get("partition_by").cloned();
        match (by(from), by(to)) {
            (Some(a), Some(b)) => !bound::same(&b, &a),
            (a, b) => a != b,
        }
    }

    fn divided_by(&self, table: &Table) -> BTreeSet<Name> {
        let by = table.options.get("partition_by").and_then(|by| by.split_once('('));
        let words = by.into_iter().flat_map(|(_, keys)| mig_plan::sql::tokens(keys));
        words.filter_map(|word| Name::new(word.identifier()?).ok()).collect()
    }

    fn share_setting(&self) -> Option<&'static str> {
        Some("bound")
    }

    fn shares_meet(&self, a: &str, b: &str) -> bool {
        bound::meet(a, b)
    }

    fn lasts(&self, settings: &BTreeMap<String, String>) -> bool {
        !settings.contains_key("unlogged")
    }

    fn same_setting(&self, name: &str, declared: &str, catalog: &str) -> bool {
        let text = |text: &str| Sql::new(text);
        let same_value = || {
            let bare = Object::new(Body::Namespace {});
            same::same(&bare, &text(declared), &text(catalog), self.default_schema.as_ref()) == Sameness::Same
        };
        declared == catalog
            || (matches!(name, "bound" | "partition_by") && bound::same(declared, catalog))
            || (name.starts_with(render::view::DEFAULT) && same_value())
    }

    fn keeps_view_columns(&self) -> bool {
        true
    }

    fn remakes(&self, change: &Kind) -> bool {
        matches!(change, Kind::AlterColumn(k) if recipe::column::remade(k, self.major()))
    }

    fn stops_computing(&self, change: &Kind) -> bool {
        let retyped = |k: &AlterColumn| k.from.data_type != k.to.data_type || k.from.collation != k.to.collation;
        matches!(change, Kind::AlterColumn(k) if retyped(k) && !recipe::column::remade(k, self.major()))
    }

    fn compares(&self, a: &str, b: &str) -> bool {
        casts::compares(a, b)
    }

    fn renames_kind(&self, kind: ObjectKind) -> bool {
        use ObjectKind::{Aggregate, EventTrigger, Function, Policy, Procedure, Rule, Statistics, Trigger};
        matches!(kind, Aggregate | EventTrigger | Function | Policy | Procedure | Rule | Statistics | Trigger)
    }

    fn disturbs(&self, change: &Kind) -> BTreeSet<Address> {
        disturbs::of(change, self.major())
    }

    fn replaces_beside(&self, at: &Address, from: &Object, to: &Object, schema: &Schema) -> bool {
        let (Body::Index(was), Body::Index(is)) = (&from.body, &to.body) else { return false };
        render::index::same_but_flags(was, is)
            || (render::index::can_beside(at, from, was, schema) && render::index::can_beside(at, to, is, schema))
    }

    fn over_past(&self, sql: &str, past: &[Past], _: &Schema) -> Option<String> {
        past::over_past(sql, past)
    }

    fn renames(&self, changes: &[Kind], context: &Context<'_>) -> Result<Vec<Draft>, Vec<Complaint>> {
        recipe::layer::renames(changes, context, self.major())
    }

    fn fills_beside(&self) -> bool {
        true
    }

    fn beside(&self, context: &Context<'_>) -> Option<Vec<Group>> {
        recipe::supplant::beside(context)
    }

    fn recipe(&self, group: &Group, context: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
        recipe::recipe(group, context, self.major())
    }

    fn render(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
        let rendered = render::render(change, before, after, self.major())?;
        guards::past(change, before, rendered, self.default_schema.as_ref(), self.major())
    }

    fn render_undo(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint> {
        let mut undo = undo::undo(change, before, after, self.major())?;
        guards::past_back(change, after, &mut undo.action, self.default_schema.as_ref());
        let at = change.address();
        let table = at.relation().unwrap_or_else(|| at.qualified());
        published::let_update(&mut undo.action, &table, before);
        deferred::fire(&mut undo.action, &table, [before, after]);
        Ok(undo)
    }
}

/// The name that the server gives a constraint declared without one.
pub(crate) fn constraint_name(table: &Qualified, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name {
    let joined = |columns: &[Name]| columns.iter().map(Name::as_str).collect::<Vec<_>>().join("_");
    let taken = |name: &str| taken.iter().any(|t| t.as_str() == name);
    let (columns, suffix) = match &constraint.rule {
        Rule::PrimaryKey(_) => (String::new(), "pkey"),
        Rule::Unique(key) => (joined(&key.columns), "key"),
        Rule::ForeignKey(fk) => (joined(&fk.columns), "fkey"),
        Rule::Check { expression } => {
            let mentioned = references::columns_in(expression);
            let only = mentioned.iter().next().filter(|_| mentioned.len() == 1);
            (only.map(|name| name.as_str().to_owned()).unwrap_or_default(), "check")
        }
        Rule::Exclude { .. } => (String::new(), "excl"),
    };
    names::derived(table.name.as_str(), &columns, suffix, &taken)
}

/// The name that the server gives an index made without one.
pub(crate) fn index_name(index: &Index, taken: &BTreeSet<Name>) -> Name {
    let part = |part: &mig_plan::schema::IndexPart| match &part.what {
        IndexedBy::Column(name) => name.as_str().to_owned(),
        IndexedBy::Expression(_) => "expr".to_owned(),
    };
    let columns = index.parts.iter().map(part).collect::<Vec<_>>().join("_");
    let taken = |name: &str| taken.iter().any(|t| t.as_str() == name);
    names::derived(index.table.name.as_str(), &columns, "idx", &taken)
}
