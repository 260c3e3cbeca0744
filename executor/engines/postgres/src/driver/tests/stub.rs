//! A pure half that is never asked anything.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Complaint, Constraint, Context, Dialect, Draft, Group, Kind, Name, Object, Qualified, Rendered,
    RenderedUndo, Sameness, Schema, Sql, UnknownType, schema::Index,
};

struct Stub(String, Option<Name>);

pub(super) fn dialect(version: &str, default_schema: Option<Name>) -> Box<dyn Dialect> {
    Box::new(Stub(version.to_owned(), default_schema))
}

impl Dialect for Stub {
    fn engine(&self) -> &'static str {
        crate::NAME
    }
    fn version(&self) -> &str {
        &self.0
    }
    fn default_schema(&self) -> Option<Name> {
        self.1.clone()
    }
    fn quote(&self, _: &Name) -> String {
        unreachable!()
    }
    fn check_name(&self, _: &Name) -> Result<(), String> {
        unreachable!()
    }
    fn data_type(&self, _: &str, _: &Schema) -> Result<String, UnknownType> {
        unreachable!()
    }
    fn default_constraint_name(&self, _: &Qualified, _: &Constraint, _: &BTreeSet<Name>) -> Name {
        unreachable!()
    }
    fn default_index_name(&self, _: &Index, _: &BTreeSet<Name>) -> Name {
        unreachable!()
    }
    fn normalize(&self, _: Schema) -> Result<Schema, Vec<Complaint>> {
        unreachable!()
    }
    fn same_text(&self, _: &Object, _: &Sql, _: &Sql) -> Sameness {
        unreachable!()
    }
    fn references(&self, _: &Address, _: &Object, _: &Schema) -> BTreeSet<Address> {
        unreachable!()
    }
    fn mentions(&self, _: &Sql) -> BTreeSet<Name> {
        unreachable!()
    }
    fn text(&self, text: &str) -> String {
        format!("'{text}'")
    }

    fn as_literal(&self, column: &mig_plan::Column) -> String {
        column.name.to_string()
    }

    fn kept(&self, _: &mig_plan::Kind) -> Vec<mig_plan::Qualified> {
        Vec::new()
    }

    fn columns_of(&self, table: &mig_plan::Qualified) -> mig_plan::Statement {
        mig_plan::Statement::new(format!("columns of {table}"))
    }

    fn as_text(&self, value: &str) -> String {
        value.to_owned()
    }

    fn uuid(
        &self,
        _: mig_plan::UuidVersion,
        _: &str,
        name: &mig_plan::Sql,
        _: &Schema,
    ) -> Result<mig_plan::Sql, String> {
        Ok(name.clone())
    }

    fn unsteady(&self, _: &mig_plan::Sql) -> Option<String> {
        None
    }

    fn mapped(&self, value: &str, _: &[(String, mig_plan::verify::Literal)], _: &str) -> mig_plan::Sql {
        mig_plan::Sql::new(value)
    }

    fn recipe(&self, _: &Group, _: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
        unreachable!()
    }
    fn render(&self, _: &Kind, _: &Schema, _: &Schema) -> Result<Rendered, Complaint> {
        unreachable!()
    }
    fn render_undo(&self, _: &Kind, _: &Schema, _: &Schema) -> Result<RenderedUndo, Complaint> {
        unreachable!()
    }
}
