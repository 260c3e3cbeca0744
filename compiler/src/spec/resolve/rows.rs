//! Rows that tables shall have.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Name, verify::Literal};

use super::Resolver;
use crate::diagnostic::Code;

impl Resolver<'_> {
    /// Takes up the declared rows: each names the primary key, all of a table name the same columns.
    pub(super) fn rows(&mut self) {
        for (at, name, spec) in self.table_specs() {
            if spec.rows.is_empty() {
                continue;
            }
            let key = self.schema.table(&at).and_then(|t| t.primary_key()).map(|(_, key)| key.columns.clone());
            let Some(key) = key else {
                let says = format!("rows of {at} are declared, and it has no primary key to find them by");
                self.error(Code::MissingKey, &name.place, says);
                continue;
            };
            let mut rows: Vec<BTreeMap<Name, Literal>> = Vec::new();
            let mut seen = BTreeSet::new();
            for said in &spec.rows {
                let place = said.0.first().map_or(&name.place, |entry| &entry.name.place);
                let mut row = BTreeMap::new();
                for entry in &said.0 {
                    if let Some(column) = self.known_column(&at, &entry.name) {
                        row.insert(column, entry.value.0.value.clone());
                    }
                }
                if let Some(column) = key.iter().find(|column| !row.contains_key(*column)) {
                    self.error(
                        Code::MissingKey,
                        place,
                        format!("this row of {at} has no {column}, which it is found by"),
                    );
                    continue;
                }
                if rows.first().is_some_and(|first| !first.keys().eq(row.keys())) {
                    let says = format!("the rows of {at} name different columns");
                    self.error(Code::Contradiction, place, says).help =
                        Some("name the same columns in each row of a table".to_owned());
                    continue;
                }
                if !seen.insert(key.iter().map(|column| row[column].to_string()).collect::<Vec<_>>()) {
                    self.error(Code::DeclaredTwice, place, format!("two rows of {at} have this key"));
                    continue;
                }
                rows.push(row);
            }
            if !rows.is_empty() {
                self.declared_rows.insert(at, rows);
            }
        }
    }
}
