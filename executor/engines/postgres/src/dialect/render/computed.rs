//! Columns that are computed again: the server makes such a column only anew, with what is over it in its table.

use mig_plan::{
    Column, Complaint, Name, Qualified, Rule, Schema, Sql,
    kind::{AddColumn, AddConstraint},
    schema::IndexedBy,
    sql::{TokenKind, tokens},
};

use super::{column, constraint, shares};
use crate::dialect::names::{qualified, quote};

/// The statements that make a column anew, computed as it is in a schema. It may be there and be computed no more, and it may have gone
/// with what computed it.
pub(crate) fn again(table: &Qualified, of: &Column, schema: &Schema) -> Result<Vec<String>, Complaint> {
    let name = &of.name;
    let mut sql = vec![format!("ALTER TABLE {} DROP COLUMN IF EXISTS {}", qualified(table), quote(name))];
    sql.extend(column::add_sql(&AddColumn { table: table.clone(), column: of.clone() }));
    let own = schema.table(table);
    for (rule, content) in own.into_iter().flat_map(|t| &t.constraints) {
        let over = match &content.rule {
            Rule::Check { expression } | Rule::Exclude { definition: expression } => reads(expression, name),
            _ => content.columns().contains(name),
        };
        if over {
            let again = AddConstraint { table: table.clone(), name: rule.clone(), constraint: content.clone() };
            sql.extend(constraint::add_sql(&again));
        }
    }
    for (at, index) in schema.indexes_of(table) {
        let over = index.include.contains(name)
            || index.predicate.as_ref().is_some_and(|text| reads(text, name))
            || index.parts.iter().any(|part| match &part.what {
                IndexedBy::Column(own) => own == name,
                IndexedBy::Expression(text) => reads(text, name),
            });
        if over {
            sql.extend(shares::made(at, &schema.objects[at], index, schema)?);
        }
    }
    Ok(sql)
}

/// Whether an expression reads a column: names it, and not a function that is called the same.
fn reads(text: &Sql, column: &Name) -> bool {
    let words: Vec<_> = tokens(text.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
    words.iter().enumerate().any(|(i, word)| {
        let called = words.get(i + 1).is_some_and(|next| next.text == "(");
        !called && word.identifier().is_some_and(|found| found == column.as_str())
    })
}
