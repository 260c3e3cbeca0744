//! What a step that makes a table anew changes of it, one line each: its sentence cannot say, and its SQL says all of the table.

use mig_plan::{Column, ColumnValue, Kind, Step, Table};

/// What a rebuild changes, each line beginning with `+`, `-` or `~`; empty for every other step, whose sentence says it.
#[must_use]
pub fn changes(step: &Step) -> Vec<String> {
    match &step.change {
        Kind::Rebuild(rebuild) => between(&rebuild.from, &rebuild.to),
        _ => Vec::new(),
    }
}

fn between(from: &Table, to: &Table) -> Vec<String> {
    let mut lines = Vec::new();
    let find = |table: &'_ Table, column: &Column| table.columns.iter().position(|c| c.name == column.name);
    for column in &to.columns {
        match find(from, column).map(|at| &from.columns[at]) {
            None => lines.push(format!("+ column {}: {}", column.name, words(column))),
            Some(was) if words(was) != words(column) => {
                lines.push(format!("~ column {}: {} -> {}", column.name, words(was), words(column)));
            }
            Some(was) if was != column => lines.push(format!("~ column {}: its settings", column.name)),
            Some(_) => {}
        }
    }
    let gone = from.columns.iter().filter(|column| find(to, column).is_none());
    lines.extend(gone.map(|column| format!("- column {}", column.name)));
    for (name, constraint) in &to.constraints {
        match from.constraints.get(name) {
            None => lines.push(format!("+ constraint {name}")),
            Some(was) if was != constraint => lines.push(format!("~ constraint {name}")),
            Some(_) => {}
        }
    }
    let gone = from.constraints.keys().filter(|name| !to.constraints.contains_key(*name));
    lines.extend(gone.map(|name| format!("- constraint {name}")));
    if from.options != to.options {
        lines.push("~ settings of the table".to_owned());
    }
    lines
}

fn words(column: &Column) -> String {
    let mut words = column.data_type.clone();
    if let Some(collation) = &column.collation {
        words.push_str(&format!(" collate {collation}"));
    }
    if column.not_null {
        words.push_str(" not null");
    }
    match &column.value {
        ColumnValue::Plain => {}
        ColumnValue::Default(value) => words.push_str(&format!(" default {value}")),
        ColumnValue::Identity { .. } => words.push_str(" identity"),
        ColumnValue::Generated { expression, .. } => words.push_str(&format!(" generated as {expression}")),
    }
    words
}
