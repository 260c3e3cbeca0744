//! What orders the batches of a backfill, and what bounds them.

use mig_plan::{Qualified, Statement};

use super::super::place;
use crate::dialect::names::qualified;

/// What orders the batches.
pub(super) struct Cursor {
    /// Each column as SQL with its type.
    pub(super) parts: Vec<(String, String)>,
    /// For people.
    pub(super) words: Vec<String>,
    pub(super) order: Order,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By the values of a key.
    Key,
    /// By where rows are, for want of a key: whole blocks, the same ones of all tables that inherit.
    Place,
}

impl Cursor {
    pub(super) fn names(&self) -> String {
        self.parts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ")
    }

    /// The parameters of a key, as a row of values, from a number on.
    pub(super) fn values(&self, from: usize) -> String {
        let parts = self.parts.iter().enumerate();
        let parts: Vec<_> = parts.map(|(i, (_, kind))| format!("${}::text::{kind}", from + i)).collect();
        parts.join(", ")
    }

    /// A comparison of the key of a row with parameters; `of` is what stands before each column.
    pub(super) fn against(&self, of: &str, sign: &str, from: usize) -> String {
        let names: Vec<_> = self.parts.iter().map(|(name, _)| format!("{of}{name}")).collect();
        match names.as_slice() {
            [name] => format!("{name} {sign} {}", self.values(from)),
            names => format!("({}) {sign} ({})", names.join(", "), self.values(from)),
        }
    }

    pub(super) fn bound(&self, table: &Qualified, next: bool) -> Statement {
        match self.order {
            Order::Key => self.key_bound(table, next),
            Order::Place => place::bound(table, next),
        }
    }

    pub(super) fn end(&self, table: &Qualified) -> Statement {
        match self.order {
            Order::Key => {
                let down: Vec<_> = self.parts.iter().map(|(name, _)| format!("{name} DESC")).collect();
                let from = qualified(table);
                Statement::new(format!(
                    "SELECT {} FROM (\n    SELECT {} FROM {from} ORDER BY {} LIMIT 1\n) AS batch",
                    self.texts(),
                    self.names(),
                    down.join(", ")
                ))
            }
            Order::Place => place::end(table),
        }
    }

    /// The key of a batch's row as texts.
    pub(super) fn texts(&self) -> String {
        let texts: Vec<_> = self.parts.iter().map(|(name, _)| format!("batch.{name}::text")).collect();
        texts.join(", ")
    }

    fn key_bound(&self, table: &Qualified, next: bool) -> Statement {
        let many = self.parts.len();
        let rows = if next { many + 1 } else { 1 };
        let after = if next { format!("{} AND ", self.against("", ">", 1)) } else { String::new() };
        let upto = self.against("", "<=", rows + 1);
        // Qualified: a bare name would mean the text that is put out, and texts sort otherwise than keys.
        let down: Vec<_> = self.parts.iter().map(|(name, _)| format!("batch.{name} DESC")).collect();
        let (from, names) = (qualified(table), self.names());
        Statement::new(format!(
            "SELECT {} FROM (\n    SELECT {names} FROM {from} WHERE {after}{upto} ORDER BY {names} LIMIT ${rows}::text::bigint\n\
             ) AS batch ORDER BY {} LIMIT 1",
            self.texts(),
            down.join(", ")
        ))
    }

    /// The same with something before each column.
    pub(super) fn range_of(&self, of: &str, next: bool) -> String {
        let many = self.parts.len();
        if next {
            format!("{} AND {}", self.against(of, ">", 1), self.against(of, "<=", many + 1))
        } else {
            self.against(of, "<=", 1)
        }
    }
}
