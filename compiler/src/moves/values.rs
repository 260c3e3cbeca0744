//! Declared renames of the values of enums.

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{
    Address, Body, Kind, ObjectKind,
    kind::{RenameValue, value_renamed_in_texts},
};

use super::Renames;
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    intent::ValueMove,
};

impl Renames {
    /// Makes the renames of enum values as soon as their new names are free.
    pub(super) fn values(&mut self, moves: &[ValueMove], say: &mut Vec<Diagnostic>) {
        let mut waiting: Vec<&ValueMove> = moves.iter().filter(|m| self.is_value_due(m, say)).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|m| {
                let free = !self.has_value(&m.of, &m.to);
                if free {
                    self.rename_value(m);
                }
                !free
            });
            if waiting.len() == before {
                for stuck in waiting {
                    let says =
                        format!("the value `{}` of {} cannot become `{}`: both exist", stuck.from, stuck.of, stuck.to);
                    let help =
                        "rows may hold either; move the rows of one to the other, and drop it in a plan of its own";
                    say.push(Diagnostic::new(Code::RenameTargetTaken, says).at(&stuck.place).help(help));
                }
                return;
            }
        }
    }

    fn has_value(&self, of: &Address, value: &str) -> bool {
        match self.schema.objects.get(of).map(|o| &o.body) {
            Some(Body::Enum { values }) => values.iter().any(|v| v == value),
            _ => false,
        }
    }

    fn is_value_due(&self, m: &ValueMove, say: &mut Vec<Diagnostic>) -> bool {
        if self.has_value(&m.of, &m.from) {
            return true;
        }
        if self.has_value(&m.of, &m.to) {
            let says =
                format!("`{}` of {} is called `{}` already; its `was` is harmless and can go", m.from, m.of, m.to);
            say.push(Diagnostic::new(Code::RenameDone, says).at(&m.place));
        } else if self.schema.objects.contains_key(&m.of) {
            let says = format!("{} has neither the value `{}` nor `{}`", m.of, m.from, m.to);
            let mut never = Diagnostic::new(Code::RenameSourceGone, says);
            never.severity = Severity::Error;
            say.push(never.at(&m.place).help("correct the value after `was`; to create it new, remove `was`"));
        }
        false
    }

    fn rename_value(&mut self, m: &ValueMove) {
        let holders: BTreeSet<Address> = self
            .depends
            .iter()
            .filter(|(_, needs)| needs.contains(&m.of))
            .map(|(at, _)| at.holder())
            .filter(|at| !matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate))
            .collect();
        let becomes = |at: &Address| {
            let object = self.schema.objects.get(at)?;
            let becomes = value_renamed_in_texts(object, m.of.name(), &m.from, &m.to);
            (becomes != **object).then(|| (at.clone(), Arc::new(becomes)))
        };
        let carries = holders.iter().filter_map(becomes).collect();
        let change: Kind = RenameValue { at: m.of.clone(), from: m.from.clone(), to: m.to.clone(), carries }.into();
        if self.schema.apply(&change).is_ok() {
            self.changes.push(change);
        }
    }
}
