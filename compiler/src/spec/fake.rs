//! A small dialect for tests: a handful of types, names up to 63 bytes, keys that imply NOT NULL.

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{
    Address, Body, Complaint, Constraint, Context, Dialect, Draft, Group, Kind, Name, Object, Qualified, Rendered,
    RenderedUndo, Rule, Sameness, Schema, Sql, UnknownType, schema::Index,
};

use super::near::nearest;

pub(crate) struct Fake;

const TYPES: &[&str] = &["text", "integer", "bigint", "uuid", "timestamptz", "boolean", ""];

fn truncated(base: &str, taken: &BTreeSet<Name>) -> Name {
    (0usize..)
        .map(|n| {
            let tail = if n == 0 { String::new() } else { n.to_string() };
            let mut end = base.len().min(63 - tail.len());
            while !base.is_char_boundary(end) {
                end -= 1;
            }
            Name::new(format!("{}{tail}", &base[..end])).unwrap()
        })
        .find(|name| !taken.contains(name))
        .unwrap()
}

impl Dialect for Fake {
    fn engine(&self) -> &'static str {
        "fake"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn default_schema(&self) -> Option<Name> {
        Some(Name::new("public").unwrap())
    }

    fn quote(&self, name: &Name) -> String {
        name.to_string()
    }

    fn check_name(&self, name: &Name) -> Result<(), String> {
        if name.as_str().len() > 63 { Err(format!("the name {name} is longer than 63 bytes")) } else { Ok(()) }
    }

    fn data_type(&self, declared: &str, schema: &Schema) -> Result<String, UnknownType> {
        let user = schema.objects.keys().map(Address::dotted).find(|at| {
            let short = at.strip_prefix("public.").unwrap_or(at);
            short == declared || at == declared
        });
        match user {
            Some(at) => Ok(at),
            None if TYPES.contains(&declared) => Ok(declared.to_owned()),
            None => Err(UnknownType { near: nearest(declared, TYPES.iter().copied()).map(str::to_owned) }),
        }
    }

    fn default_constraint_name(&self, table: &Qualified, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name {
        let columns = constraint.columns().iter().map(Name::as_str).collect::<Vec<_>>().join("_");
        let table = table.name.as_str();
        let base = match constraint.rule {
            Rule::PrimaryKey(_) => format!("{table}_pkey"),
            Rule::Unique(_) => format!("{table}_{columns}_key"),
            Rule::ForeignKey(_) => format!("{table}_{columns}_fkey"),
            Rule::Check { .. } => format!("{table}_check"),
            Rule::Exclude { .. } => format!("{table}_excl"),
        };
        truncated(&base, taken)
    }

    fn default_index_name(&self, index: &Index, taken: &BTreeSet<Name>) -> Name {
        let parts: Vec<_> = index
            .parts
            .iter()
            .map(|p| match &p.what {
                mig_plan::schema::IndexedBy::Column(name) => name.as_str(),
                mig_plan::schema::IndexedBy::Expression(_) => "expr",
            })
            .collect();
        truncated(&format!("{}_{}_idx", index.table.name.as_str(), parts.join("_")), taken)
    }

    fn normalize(&self, mut declared: Schema) -> Result<Schema, Vec<Complaint>> {
        let mut complaints = Vec::new();
        for (at, object) in &mut declared.objects {
            let Body::Table(table) = &mut Arc::make_mut(object).body else { continue };
            let key = table.primary_key().map(|(_, key)| key.columns.clone()).unwrap_or_default();
            table.columns.iter_mut().filter(|c| key.contains(&c.name)).for_each(|c| c.not_null = true);
            for column in table.columns.iter().filter(|c| c.options.contains_key("wrong")) {
                complaints.push(Complaint {
                    at: Address::column(&at.qualified(), &column.name),
                    says: "no such setting".to_owned(),
                    help: None,
                });
            }
        }
        if complaints.is_empty() { Ok(declared) } else { Err(complaints) }
    }

    fn same_text(&self, _: &Object, declared: &Sql, catalog: &Sql) -> Sameness {
        if declared == catalog { Sameness::Same } else { Sameness::Different }
    }

    fn references(&self, _: &Address, _: &Object, _: &Schema) -> BTreeSet<Address> {
        BTreeSet::new()
    }

    fn mentions(&self, _: &Sql) -> BTreeSet<Name> {
        BTreeSet::new()
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

    fn uuid(&self, _: mig_plan::UuidVersion, _: &str, name: &Sql, _: &Schema) -> Result<Sql, String> {
        Ok(name.clone())
    }

    fn unsteady(&self, _: &Sql) -> Option<String> {
        None
    }

    fn mapped(&self, value: &str, _: &[(String, mig_plan::verify::Literal)], _: &str) -> Sql {
        Sql::new(value)
    }

    fn recipe(&self, _: &Group, _: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
        Ok(Vec::new())
    }

    fn render(&self, _: &Kind, _: &Schema, _: &Schema) -> Result<Rendered, Complaint> {
        unreachable!("resolving renders nothing")
    }

    fn render_undo(&self, _: &Kind, _: &Schema, _: &Schema) -> Result<RenderedUndo, Complaint> {
        unreachable!("resolving renders nothing")
    }
}
