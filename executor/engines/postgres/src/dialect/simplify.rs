//! The inverse of normalizing: a catalog's schema as a person would have declared it.

use std::sync::Arc;

use mig_plan::{Address, Body, Column, ColumnValue, ObjectKind, Qualified, Rule, Schema, schema::Sequence};

use super::{
    Postgres,
    normalize::{normalize, serial_default, serial_sequence},
    types::SERIALS,
};

/// The schema without what normalizing brings back.
pub(crate) fn simplify(live: &Schema, dialect: &Postgres) -> Schema {
    let mut simple = live.clone();
    for (at, table) in live.tables() {
        for column in &table.columns {
            let sequence = serial_behind(&at, column, live);
            let Some(Body::Table(own)) =
                simple.objects.get_mut(&Address::table(&at)).map(|o| &mut Arc::make_mut(o).body)
            else {
                continue;
            };
            if let Some(own) = own.column_mut(&column.name) {
                if let Some((serial, _)) = &sequence {
                    (*serial).clone_into(&mut own.data_type);
                    own.value = ColumnValue::Plain;
                }
                if in_primary_key(table, column) {
                    own.not_null = false;
                }
            }
            if let Some((_, address)) = sequence {
                simple.objects.remove(&address);
            }
        }
    }
    // What is written must be read back as it was; if it is not, nothing was simple.
    match normalize(simple.clone(), dialect.default_schema.as_ref(), dialect.major()) {
        Ok(back) if back == *live => simple,
        _ => live.clone(),
    }
}

fn in_primary_key(table: &mig_plan::Table, column: &Column) -> bool {
    table.constraints.values().any(|c| matches!(&c.rule, Rule::PrimaryKey(key) if key.columns.contains(&column.name)))
}

/// The serial word for a column and the sequence that it stands for.
fn serial_behind(at: &Qualified, column: &Column, live: &Schema) -> Option<(&'static str, Address)> {
    let name = serial_sequence(at, &column.name);
    let address = Address::new(ObjectKind::Sequence, &name);
    let object = live.objects.get(&address)?;
    let plain = Sequence {
        data_type: column.data_type.clone(),
        options: Default::default(),
        owned_by: Some(Address::column(at, &column.name)),
    };
    let is_it = column.not_null
        && column.value == ColumnValue::Default(serial_default(&name))
        && object.comment.is_none()
        && object.grants.is_empty()
        && object.body == Body::Sequence(plain);
    let (word, _) = SERIALS.iter().find(|(_, integer)| *integer == column.data_type)?;
    is_it.then_some((*word, address))
}
