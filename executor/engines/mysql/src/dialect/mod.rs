//! What MySQL and MariaDB know without a connection.

mod backfill;
mod checks;
mod define;
mod guards;
mod index;
mod kept;
mod lex;
pub(crate) mod names;
pub(crate) mod normalize;
mod object;
mod online;
mod populate;
mod recipe;
pub(crate) mod refs;
mod render;
mod retyped;
mod revise;
mod rows;
mod shadow;
mod table;
pub(crate) mod text;
pub(crate) mod types;
mod undo;
mod weigh;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Complaint, Constraint, Context, Dialect, Draft, Group, Kind, Name, Object, ObjectKind, Past, Qualified,
    Rendered, RenderedUndo, Sameness, Schema, Sql, UnknownType, UuidVersion, schema::Index, verify::Literal,
};

use crate::flavor::Flavor;

/// The pure half of the engine, for one version of one product.
#[derive(Clone, Debug)]
pub struct MySqlDialect {
    flavor: Flavor,
    version: String,
}

impl MySqlDialect {
    /// For a server as a pull describes it: `mariadb-10.11/utf8mb4_general_ci`.
    #[must_use]
    pub fn new(version: &str) -> Self {
        Self { flavor: Flavor::parse(version), version: version.to_owned() }
    }
}

impl Dialect for MySqlDialect {
    fn engine(&self) -> &'static str {
        crate::NAME
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn default_schema(&self) -> Option<Name> {
        None
    }

    fn quote(&self, name: &Name) -> String {
        names::quote(name)
    }

    fn check_name(&self, name: &Name) -> Result<(), String> {
        names::check(name)
    }

    fn respells_column(&self, a: &Name, b: &Name) -> bool {
        a != b && names::same_column(a, b)
    }

    fn data_type(&self, declared: &str, _: &Schema) -> Result<String, UnknownType> {
        types::canonical(&self.flavor, declared)
    }

    fn default_constraint_name(&self, table: &Qualified, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name {
        names::of_constraint(&self.flavor, &table.name, constraint, taken)
    }

    fn default_index_name(&self, index: &Index, taken: &BTreeSet<Name>) -> Name {
        names::of_index(index, taken)
    }

    fn index_at(&self, table: &Qualified, name: &Name) -> Qualified {
        normalize::index_at(table, name)
    }

    fn normalize(&self, declared: Schema) -> Result<Schema, Vec<Complaint>> {
        normalize::normalize(&self.flavor, declared)
    }

    fn simplify(&self, live: &Schema) -> Schema {
        normalize::simplify(&self.flavor, live)
    }

    fn same_text(&self, object: &Object, declared: &Sql, catalog: &Sql) -> Sameness {
        normalize::same_text(object, declared, catalog)
    }

    fn references(&self, at: &Address, object: &Object, schema: &Schema) -> BTreeSet<Address> {
        refs::references(at, object, schema)
    }

    fn mentions(&self, expression: &Sql) -> BTreeSet<Name> {
        text::mentions(expression)
    }

    fn text(&self, text: &str) -> String {
        names::literal(text)
    }

    fn overflows(&self, value: &str, data_type: &str) -> Option<String> {
        types::overflows(value, data_type)
    }

    fn as_literal(&self, column: &mig_plan::Column) -> String {
        kept::as_literal(column)
    }

    fn kept(&self, change: &Kind) -> Vec<Qualified> {
        kept::places(change)
    }

    fn columns_of(&self, table: &Qualified) -> mig_plan::Statement {
        kept::columns_of(table)
    }

    fn as_text(&self, value: &str) -> String {
        backfill::as_text(value)
    }

    fn converted(&self, value: &str, from: &mig_plan::Column, to: &mig_plan::Column) -> Option<String> {
        weigh::converted(value, from, to)
    }

    fn as_given(&self, _: &mig_plan::Column, default: &Sql) -> Option<String> {
        Some(format!("({default})"))
    }

    fn over_past(&self, sql: &str, past: &[Past], _: &Schema) -> Option<String> {
        checks::over_past(sql, past)
    }

    fn uuid(&self, version: UuidVersion, namespace: &str, name: &Sql, _: &Schema) -> Result<Sql, String> {
        Ok(backfill::uuid(version, namespace, name))
    }

    fn unsteady(&self, expression: &Sql) -> Option<String> {
        text::unsteady(expression)
    }

    fn bears_column_name(&self, constraint: &mig_plan::Constraint) -> bool {
        define::is_column_check(constraint)
    }

    fn is_one_value(&self, default: &Sql) -> bool {
        text::is_one_value(default)
    }

    fn mapped(&self, value: &str, pairs: &[(String, Literal)], _: &str) -> Sql {
        backfill::mapped(value, pairs)
    }

    /// Names of triggers are the database's.
    fn slot(&self, at: &Address) -> Address {
        if at.kind() == ObjectKind::Trigger { Address::global(at.kind(), at.name().clone()) } else { at.clone() }
    }

    fn disturbs(&self, change: &Kind) -> BTreeSet<Address> {
        online::disturbs(change)
    }

    fn outdated(
        &self,
        at: &Address,
        object: &Object,
        base: &Schema,
        tables: &BTreeMap<Qualified, Qualified>,
        columns: &BTreeMap<Address, Name>,
    ) -> bool {
        refs::outdated(at, object, base, tables, columns)
    }

    fn recipe(&self, group: &Group, context: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
        recipe::recipe(&self.flavor, group, context)
    }

    fn renames(&self, changes: &[Kind], context: &Context<'_>) -> Result<Vec<Draft>, Vec<Complaint>> {
        recipe::renames(&self.flavor, changes, context)
    }

    fn render(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
        render::render(&self.flavor, change, before, after)
    }

    fn render_undo(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint> {
        undo::undo(&self.flavor, change, before, after)
    }
}
