//! How a value becomes one of another type while its column changes.

use mig_plan::{
    Address, Complaint, Schema, Sql,
    kind::AlterColumn,
    sql::{TokenKind, tokens},
};

use crate::dialect::{
    casts,
    names::{qualified, quote},
};

/// The function that stands for a query where the server takes none; it lives as long as the session at most.
const FUNCTION: &str = "pg_temp._mig_using";

/// What to do before, the expression after `USING`, and what to do after.
type Using = (Option<String>, Option<String>, Option<String>);

/// How the change makes its values. An expression with a query in it is one that the server refuses there, so a function asks it.
pub(crate) fn of(change: &AlterColumn, schema: &Schema) -> Result<Using, Complaint> {
    let Some(expression) = &change.using else { return Ok((None, casts::using(change, schema), None)) };
    if !has_query(expression) {
        return Ok((None, Some(expression.as_str().to_owned()), None));
    }
    if reads(expression, change) {
        return Err(Complaint {
            at: Address::column(&change.table, &change.to.name),
            says: format!("the values are made by a query on {} itself, while it is written anew", change.table),
            help: Some("add another column with this transform, and drop this one in a later plan".to_owned()),
        });
    }
    let columns = schema.table(&change.table).map(|t| &t.columns[..]).unwrap_or_default();
    let columns: Vec<_> = columns.iter().filter(|c| expression.mentions(&c.name)).collect();
    let list = |parts: Vec<String>| parts.join(", ");
    let types = list(columns.iter().map(|c| c.data_type.clone()).collect());
    let named = list(columns.iter().enumerate().map(|(i, c)| format!("${} AS {}", i + 1, quote(&c.name))).collect());
    let values = list(columns.iter().map(|c| quote(&c.name)).collect());
    let tag = if expression.as_str().contains("$mig$") { "$mig_using$" } else { "$mig$" };
    let (to, alias) = (&change.to.data_type, quote(&change.table.name));
    let make = format!(
        "CREATE FUNCTION {FUNCTION}({types}) RETURNS {to} LANGUAGE sql AS {tag}\nSELECT ({expression})::{to} FROM (SELECT {named}) AS {alias}\n{tag}"
    );
    Ok((Some(make), Some(format!("{FUNCTION}({values})")), Some(format!("DROP FUNCTION {FUNCTION}({types})"))))
}

pub(crate) fn has_query(expression: &Sql) -> bool {
    tokens(expression.as_str()).any(|t| t.kind == TokenKind::Word && t.text.eq_ignore_ascii_case("select"))
}

/// Whether a query reads the table whose column changes.
fn reads(expression: &Sql, change: &AlterColumn) -> bool {
    let words: Vec<_> = tokens(expression.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
    let own = [qualified(&change.table), quote(&change.table.name)];
    (0..words.len()).any(|i| {
        let opens = ["from", "join", ","].iter().any(|word| words[i].text.eq_ignore_ascii_case(word));
        let path: String = words[i + 1..]
            .iter()
            .take_while(|t| t.text == "." || t.identifier().is_some())
            .scan(true, |name, t| {
                let joins = (t.text == ".") != *name;
                *name = !*name;
                joins.then_some(t.text)
            })
            .collect();
        opens && own.contains(&path)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mig_plan::{Body, Column, ColumnValue, Name, Object, Qualified, Table};

    use super::*;

    #[test]
    fn a_query_is_asked_by_a_function() {
        let column = |name: &str, data_type: &str| Column {
            name: Name::new(name).unwrap(),
            data_type: data_type.to_owned(),
            not_null: false,
            value: ColumnValue::Plain,
            collation: None,
            comment: None,
            options: BTreeMap::new(),
        };
        let table = Qualified::new(Name::new("public").ok(), Name::new("t").unwrap());
        let mut schema = Schema::default();
        let columns = vec![column("id", "integer"), column("kind", "text")];
        let body = Body::Table(Table { columns, ..Table::default() });
        schema.objects.insert(Address::table(&table), Object::new(body).into());
        let change = |using: &str| AlterColumn {
            table: table.clone(),
            from: column("kind", "text"),
            to: column("kind", "integer"),
            using: Some(Sql::new(using)),
        };
        let (make, using, drop) = of(&change("(select k.id from kinds k where k.name = t.kind)"), &schema).unwrap();
        assert_eq!(using.unwrap(), "pg_temp._mig_using(id, kind)");
        assert!(make.unwrap().contains("FROM (SELECT $1 AS id, $2 AS kind) AS t"));
        assert_eq!(drop.unwrap(), "DROP FUNCTION pg_temp._mig_using(integer, text)");
        assert_eq!(of(&change("(kind::integer)"), &schema).unwrap(), (None, Some("(kind::integer)".to_owned()), None));
        assert!(of(&change("(select max(x.id) from t as x)"), &schema).is_err());
        assert!(of(&change("(select max(x.id) from kinds, public.t x)"), &schema).is_err());
    }
}
