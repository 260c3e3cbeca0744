//! What SQLite knows without a connection.

mod assemble;
mod ddl;
mod guards;
mod lex;
mod names;
mod normalize;
mod recipe;
mod refs;
mod render;
mod shape;
mod text;
mod types;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Complaint, Constraint, Context, Dialect, Draft, Group, Kind, Name, Object, ObjectKind, Past, Qualified,
    Rendered, RenderedUndo, Sameness, Schema, Sql, UnknownType, UuidVersion, schema::Index, verify::Literal,
};

pub use self::assemble::{Assembled, SchemaRow, assemble};

/// SQLite's dialect.
#[derive(Clone, Debug)]
pub struct Sqlite {
    version: String,
}

impl Sqlite {
    /// The dialect of a version, as in `3`.
    #[must_use]
    pub fn new(version: &str) -> Self {
        Self { version: version.to_owned() }
    }
}

impl Dialect for Sqlite {
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

    fn same_name(&self, a: &Name, b: &Name) -> bool {
        names::same(a, b)
    }

    fn data_type(&self, declared: &str, _: &Schema) -> Result<String, UnknownType> {
        types::check(declared)
    }

    fn default_constraint_name(&self, table: &Qualified, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name {
        names::of_constraint(&table.name, constraint, taken)
    }

    fn default_index_name(&self, index: &Index, taken: &BTreeSet<Name>) -> Name {
        names::of_index(index, taken)
    }

    fn normalize(&self, declared: Schema) -> Result<Schema, Vec<Complaint>> {
        normalize::normalize(declared)
    }

    fn simplify(&self, live: &Schema) -> Schema {
        normalize::simplify(live)
    }

    fn same_text(&self, _: &Object, declared: &Sql, catalog: &Sql) -> Sameness {
        text::same(declared, catalog)
    }

    fn respell(&self, declared: &mut Schema, live: &Schema) {
        shape::respell(declared, live);
    }

    fn has_loose_foreign_keys(&self) -> bool {
        true
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

    fn as_literal(&self, column: &mig_plan::Column) -> String {
        write::exact(&names::quote(&column.name))
    }

    fn tries_rows(&self) -> bool {
        true
    }

    fn kept(&self, change: &Kind) -> Vec<Qualified> {
        render::rebuild::kept(change)
    }

    fn columns_of(&self, table: &Qualified) -> mig_plan::Statement {
        let name = names::literal(table.name.as_str());
        mig_plan::Statement::new(format!(
            "SELECT name, type, \"notnull\" FROM pragma_table_xinfo({name}) WHERE hidden = 0 ORDER BY cid"
        ))
    }

    fn as_text(&self, value: &str) -> String {
        format!("CAST({value} AS TEXT)")
    }

    fn converted(&self, value: &str, _: &mig_plan::Column, to: &mig_plan::Column) -> Option<String> {
        Some(types::converted(value, &to.data_type, to.collation.as_deref()))
    }

    fn as_given(&self, column: &mig_plan::Column, default: &Sql) -> Option<String> {
        Some(types::converted(&format!("({default})"), &column.data_type, column.collation.as_deref()))
    }

    fn over_past(&self, sql: &str, past: &[Past], live: &Schema) -> Option<String> {
        write::over_past(sql, past, live)
    }

    fn uuid(&self, _: UuidVersion, _: &str, _: &Sql, _: &Schema) -> Result<Sql, String> {
        Err("SQLite has neither MD5 nor SHA-1, so it cannot make an id from a name".to_owned())
    }

    fn unsteady(&self, expression: &Sql) -> Option<String> {
        text::unsteady(expression)
    }

    fn is_one_value(&self, default: &Sql) -> bool {
        text::is_one_value(default)
    }

    fn mapped(&self, value: &str, pairs: &[(String, Literal)], _: &str) -> Sql {
        write::mapped(value, pairs)
    }

    fn recipe(&self, group: &Group, context: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
        recipe::recipe(group, context)
    }

    fn renames(&self, changes: &[Kind], context: &Context<'_>) -> Result<Vec<Draft>, Vec<Complaint>> {
        recipe::renames(changes, context)
    }

    fn outdated(
        &self,
        at: &Address,
        object: &Object,
        base: &Schema,
        _: &BTreeMap<Qualified, Qualified>,
        columns: &BTreeMap<Address, Name>,
    ) -> bool {
        refs::outdated(at, object, base, columns)
    }

    fn renames_read_views(&self) -> bool {
        true
    }

    /// Names of triggers are the database's.
    fn slot(&self, at: &Address) -> Address {
        if at.kind() == ObjectKind::Trigger { Address::global(at.kind(), at.name().clone()) } else { at.clone() }
    }

    /// SQLite exchanges a view by dropping it, and its triggers go with it.
    fn disturbs(&self, change: &Kind) -> BTreeSet<Address> {
        let at = match change {
            Kind::Replace(_) | Kind::Drop(_) => change.address(),
            _ => return BTreeSet::new(),
        };
        if at.kind() == ObjectKind::View { [at].into() } else { BTreeSet::new() }
    }

    fn derives_constraint_names(&self) -> bool {
        true
    }

    fn render(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
        render::render(change, before, after)
    }

    fn render_undo(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint> {
        render::undo(change, before, after)
    }
}
