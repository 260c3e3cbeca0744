//! How columns change to a type from which their old values do not come back: a hidden column is made from each row by a trigger while
//! clients use the old one; in `contract` it is proved, the old column leaves with its values kept, and the hidden one takes its name.

use mig_plan::{
    Body, Column, ColumnValue, Constraint, Draft, HazardCode, Kind, Name, Object, Phase, Rule, Sql,
    kind::{
        AddConstraint, AdoptKey, AlterColumn, DropConstraint, Keep, KeepRows, Kept, Replace, Settle, Sync,
        ValidateConstraint,
    },
    schema::{Source, Validity},
};

use super::{
    column,
    twins::{Hidden, Move, concerns, old_index, owned_by, renamed_parts, turned},
    warned,
};
use crate::dialect::{
    keep,
    names::{generated, qualified, quote},
    render::{backfill::same_value, leave, twins::cast, using},
};

/// The mark of what gives the new columns the place of the old ones.
const SETTLE: &str = "settle";

impl Move<'_> {
    /// All drafts, in phase order.
    pub(super) fn settled(&self) -> Vec<Draft> {
        let why = format!("adds {} under its new type, hidden and made from each row by a trigger", self.words());
        let mut drafts = vec![Draft::new(Sync { twins: self.twins() }, Phase::Expand, why)];
        drafts.push(Draft::new(self.fill(), Phase::Backfill, "gives the hidden columns of existing rows their values"));
        drafts.extend(self.built());
        let kept = self.kept();
        if kept.is_copied() {
            let words = self.words();
            let why = format!("keeps what {words} holds, from now on");
            drafts.push(Draft::new(Keep { kept: kept.clone() }, Phase::Backfill, why));
            let why = format!("keeps what {words} holds in existing rows");
            drafts.push(Draft::new(KeepRows { kept: kept.clone() }, Phase::Backfill, why));
        }
        drafts.extend(self.checked());
        for (at, object, _) in self.concerned() {
            drafts.push(old_index(at, Object::clone(object)));
        }
        let (unit, proofs) = self.placed(kept);
        drafts.extend(unit.into_iter().map(|draft| draft.together(SETTLE)));
        drafts.extend(proofs);
        drafts.extend(self.indexes());
        drafts
    }

    /// How a row's old value is told from the new one where a foreign key leads to it: it is that of the row it leads to.
    pub(super) fn back(&self, column: &Name) -> Option<Sql> {
        let (fk, referenced) = self.movers.leads_to(self.table, column, self.context)?;
        let theirs = self.movers.hidden(&fk.references);
        let alias = quote(&self.table.name);
        let over = |hidden: &Hidden, name: &Name| quote(hidden.get(name).unwrap_or(name));
        let on = fk.columns.iter().zip(&fk.referenced);
        let on =
            on.map(|(own, their)| format!("_mig_p.{} = {alias}.{}", over(&theirs, their), over(&self.hidden, own)));
        let on = on.collect::<Vec<_>>().join(" AND ");
        let from = qualified(&fk.references);
        Some(Sql::new(format!("(SELECT _mig_p.{} FROM {from} AS _mig_p WHERE {on})", quote(referenced))))
    }

    /// The old columns, by a key that stands before and after, over the hidden columns where they are in it. Without a key there is no
    /// copy, and foreign keys lead to the old values.
    fn kept(&self) -> Kept {
        let key = self.context.renamed.table(self.table).and_then(keep::key_of).unwrap_or_default();
        let key = turned(&key, &self.hidden);
        let columns: Vec<Column> = self.now.iter().map(|(now, _)| now.clone()).collect();
        let names: Vec<&Name> = columns.iter().map(|c| &c.name).collect();
        let trigger = generated("zzz_mig_keep_", &(self.table, names), self.table.name.as_str());
        let create = leave::trigger(&qualified(self.table), &quote(&trigger)).map(Sql::new).to_vec();
        let object = Object::new(Body::Source(Source { create, needs: Default::default() }));
        Kept { table: self.table.clone(), columns, key, trigger, object: object.into(), tied: None }
    }

    /// What holds of each row once its hidden columns are right, as far as one row tells.
    fn right(&self) -> Option<(Name, Constraint)> {
        let parts = self.twins().pairs.into_iter().zip(&self.now).flat_map(|(pair, (now, _))| {
            let twin = quote(&pair.hidden.name);
            let by = pair.by.unwrap_or_else(|| Sql::new(quote(&pair.column)));
            let required = now.not_null.then(|| format!("({})", keep::is_given(&twin, &pair.hidden.data_type)));
            let value = cast(by.as_str(), &pair.hidden.data_type);
            let same = format!("({})", same_value(&pair.hidden.data_type, &twin, &value));
            required.into_iter().chain((!using::has_query(&by)).then_some(same))
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() {
            return None;
        }
        let name = generated("_mig_eq_", &(self.table, &self.hidden), self.table.name.as_str());
        let rule = Rule::Check { expression: Sql::new(format!("({})", parts.join(" AND "))) };
        Some((name, Constraint { validity: Validity::NotValid, ..Constraint::new(rule) }))
    }

    /// The proof that the hidden columns are right: by what the server holds of each row, and where another table is asked, by one more
    /// pass over the rows.
    fn checked(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        if self.twins().pairs.iter().filter_map(|pair| pair.by.as_ref()).any(using::has_query) {
            let why = "sets right what other tables have changed since";
            drafts.push(Draft::new(self.fill(), Phase::Contract, why));
        }
        let Some((name, constraint)) = self.right() else { return drafts };
        let table = self.table.clone();
        let add = AddConstraint { table: table.clone(), name: name.clone(), constraint };
        let add = Draft::new(add, Phase::Contract, "refuses what the new type cannot hold from now on");
        let says = "clients of the old schema get errors when they write what the new type cannot hold";
        drafts.push(warned(add, HazardCode::TightensRule, says));
        let prove = ValidateConstraint { table: table.clone(), name, stood: false, forgets: false };
        drafts.push(Draft::new(prove, Phase::Contract, "proves that the hidden columns are right in every row"));
        for (pair, (now, _)) in self.twins().pairs.into_iter().zip(&self.now).filter(|(_, (now, _))| now.not_null) {
            let to = Column { not_null: true, ..pair.hidden.clone() };
            let alter = AlterColumn { table: table.clone(), from: pair.hidden, to, using: None };
            let why = format!("makes the twin of {} required; the proof spares the scan", now.name);
            drafts.push(Draft::new(alter, Phase::Contract, why));
        }
        drafts
    }

    /// One transaction: what is built on the old columns goes, the new ones take their place, and get their keys; with the proofs that
    /// follow it.
    fn placed(&self, kept: Kept) -> (Vec<Draft>, Vec<Draft>) {
        let leaves = |table: &mig_plan::Qualified, name: &Name, constraint: &Constraint| {
            let (table, constraint) = (table.clone(), constraint.clone());
            let drop = DropConstraint { table, name: name.clone(), constraint };
            Draft::new(drop, Phase::Contract, format!("{name} leaves the old columns"))
        };
        let mut unit = Vec::new();
        if let Some((name, constraint)) = self.right() {
            let drop = DropConstraint { table: self.table.clone(), name, constraint };
            unit.push(Draft::new(drop, Phase::Contract, "the proof has served"));
        }
        let foreign = self.foreign_keys();
        let moves_itself = |from: &mig_plan::Qualified, c: &Constraint| {
            c.foreign_key().is_some_and(|fk| fk.columns.iter().any(|own| self.movers.hidden(from).contains_key(own)))
        };
        let own = self.context.renamed.table(self.table).into_iter().flat_map(|t| &t.constraints);
        let own: Vec<(&Name, &Constraint)> = own.collect();
        for (name, c) in own.iter().filter(|(_, c)| moves_itself(self.table, c)) {
            unit.push(leaves(self.table, name, c));
        }
        for (from, name, c, _) in foreign.iter().filter(|(from, _, c, _)| !moves_itself(from, c)) {
            unit.push(leaves(from, name, c));
        }
        for (name, c) in self.keyed() {
            unit.push(leaves(self.table, name, c));
        }
        let checks = own.iter().filter(|(_, c)| matches!(c.rule, Rule::Check { .. }) && concerns(c, &self.hidden));
        let checks: Vec<_> = checks.collect();
        for (name, c) in &checks {
            unit.push(leaves(self.table, name, c));
        }
        let owned = || self.now.iter().flat_map(|(now, _)| self.owned(now));
        for (at, object) in owned() {
            let change = Replace { at: at.clone(), from: object.clone(), to: owned_by(object, None) };
            unit.push(Draft::new(change, Phase::Contract, format!("{at} stays when the old column leaves")));
        }
        unit.push(self.settle(kept));
        for (at, object) in owned() {
            let change = Replace { at: at.clone(), from: owned_by(object, None), to: object.clone() };
            unit.push(Draft::new(change, Phase::Contract, format!("{at} goes to the new column")));
        }
        for (name, c) in self.keyed() {
            let (index, object) = self.key_index(name, c);
            let (table, object) = (self.table.clone(), renamed_parts(&object, &self.hidden).into());
            let adopt = AdoptKey { table, name: name.clone(), constraint: c.clone(), object, index };
            unit.push(Draft::new(adopt, Phase::Contract, format!("{name} takes the index over the new columns")));
        }
        for (now, change) in &self.now {
            let full = Self::moved(now, change);
            let bare = Column { value: ColumnValue::Plain, ..full.clone() };
            if bare != full {
                let value = full.value.clone();
                let alter = AlterColumn { table: self.table.clone(), from: bare, to: full, using: None };
                let draft = Draft::new(alter, Phase::Contract, format!("new rows get the default of {}", now.name));
                unit.push(column::numbered(draft, &now.value, &value));
            }
        }
        let comes = |table: &mig_plan::Qualified, name: &Name, c: &Constraint| {
            let constraint = Constraint { validity: Validity::NotValid, ..c.clone() };
            let add = AddConstraint { table: table.clone(), name: name.clone(), constraint };
            let prove = ValidateConstraint { table: table.clone(), name: name.clone(), stood: false, forgets: false };
            [
                Draft::new(add, Phase::Contract, format!("{name} holds the new columns")),
                Draft::new(prove, Phase::Contract, format!("proves {name} for existing rows")),
            ]
        };
        let checks = checks.into_iter().flat_map(|(name, c)| comes(self.table, name, c));
        let foreign = foreign.iter().flat_map(|(from, name, c, _)| comes(from, name, c));
        (unit, checks.chain(foreign).collect())
    }

    fn settle(&self, kept: Kept) -> Draft {
        let mut twins = self.twins();
        for (pair, (now, _)) in twins.pairs.iter_mut().zip(&self.now) {
            pair.hidden.not_null = now.not_null;
        }
        let why = format!("{} takes its new type; the old values stay where they were kept", self.words());
        Draft::new(Kind::from(Settle { twins, kept }), Phase::Contract, why)
    }
}
