//! What steps that move rows do to addresses.

use std::collections::BTreeMap;

use super::{Footmarks, Ground};
use crate::order::needs::{expression_reads, lets_go, named_column_needs};
use mig_plan::{
    Address, Qualified,
    kind::{Backfill, Exchange, Leave, Populate, Revise, Rows, Selection, Settle, Sync, Tied, Withdraw},
};

pub(super) fn leave(leave: &Leave, ground: &Ground<'_>, marks: &mut Footmarks) {
    for column in &leave.kept.columns {
        let at = Address::column(&leave.kept.table, &column.name);
        lets_go(&at, None, ground, marks);
        marks.removes.insert(at);
    }
}

pub(super) fn sync(sync: &Sync, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.makes.extend(sync.twins.pairs.iter().map(|p| Address::column(&sync.twins.table, &p.hidden.name)));
    marks.stands_on.insert(Address::table(&sync.twins.table));
    for pair in &sync.twins.pairs {
        marks.stands_on.extend(named_column_needs(&sync.twins.table, &pair.column, ground));
        pair.by.iter().for_each(|by| expression_reads(&sync.twins.table, by, ground, marks));
    }
}

pub(super) fn tie(tied: &Tied, ground: &Ground<'_>, marks: &mut Footmarks) {
    for by in tied.set.values().chain(tied.back.values()) {
        expression_reads(&tied.table, by, ground, marks);
    }
    marks.reads.retain(|at| at.relation().as_ref() != Some(&tied.table));
    marks.stands_on.insert(Address::table(&tied.table));
    marks.stands_on.extend(tied.set.keys().chain(tied.back.keys()).map(|name| Address::column(&tied.table, name)));
}

pub(super) fn exchange(exchange: &Exchange, ground: &Ground<'_>, marks: &mut Footmarks) {
    for pair in &exchange.twins.pairs {
        let at = Address::column(&exchange.twins.table, &pair.column);
        lets_go(&at, None, ground, marks);
        marks.changes.insert(at);
    }
}

pub(super) fn settle(settle: &Settle, ground: &Ground<'_>, marks: &mut Footmarks) {
    for pair in &settle.twins.pairs {
        let at = Address::column(&settle.twins.table, &pair.column);
        lets_go(&at, None, ground, marks);
        marks.retypes.insert(at.clone());
        marks.changes.insert(at);
        marks.removes.insert(Address::column(&settle.twins.table, &pair.hidden.name));
        // Taken back, it asks once more what the new values are made from.
        pair.by.iter().for_each(|by| expression_reads(&settle.twins.table, by, ground, marks));
    }
    marks.reads.retain(|at| at.relation().as_ref() != Some(&settle.twins.table));
}

pub(super) fn backfill(backfill: &Backfill, ground: &Ground<'_>, marks: &mut Footmarks) {
    for (column, expression) in &backfill.set {
        let at = Address::column(&backfill.table, column);
        marks.stands_on.insert(at.clone());
        expression_reads(&backfill.table, expression, ground, marks);
        let fills = if backfill.rows.late { &mut marks.late_fills } else { &mut marks.fills };
        fills.insert(at);
    }
    selection_reads(&backfill.table, &backfill.rows, ground, marks);
    marks.reads.extend(backfill.columns.values().map(|now| Address::column(&backfill.table, now)));
    let own: Vec<_> = marks.fills.union(&marks.late_fills).cloned().collect();
    for at in own {
        marks.reads.remove(&at);
    }
}

/// Rows come when what they refer to is there.
pub(super) fn rows(rows: &Rows, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.stands_on.insert(Address::table(&rows.table));
    for column in rows.columns() {
        let at = Address::column(&rows.table, column);
        marks.stands_on.insert(at.clone());
        marks.fills.insert(at);
    }
    referred(&rows.table, ground, marks);
}

/// Rows leave when none refers to them any more, as long as their key is what it was.
pub(super) fn withdraw(withdraw: &Withdraw, marks: &mut Footmarks) {
    marks.stands_on.insert(Address::table(&withdraw.table));
    marks.empties.insert(Address::table(&withdraw.table));
    let own = |at: &Qualified| *at == withdraw.table;
    let others = withdraw.referrers.iter().filter(|refers| !refers.leaving.is_empty() && !own(&refers.table));
    marks.unreferred.extend(others.map(|refers| Address::table(&refers.table)));
    marks.unreferred.extend(withdraw.waits_for.iter().cloned());
    let referring = withdraw.referrers.iter().flat_map(|r| r.columns.iter().map(|c| Address::column(&r.table, c)));
    marks.reads.extend(withdraw.key().map(|column| Address::column(&withdraw.table, column)).chain(referring));
}

/// What the foreign keys of a table refer to, save itself.
fn referred(table: &Qualified, ground: &Ground<'_>, marks: &mut Footmarks) {
    let constraints = ground.goal.table(table).into_iter().flat_map(|t| t.constraints.values());
    for fk in constraints.filter_map(|c| c.foreign_key()).filter(|fk| fk.references != *table) {
        // A key that names no columns means the primary key.
        let primary = || ground.goal.table(&fk.references)?.primary_key().map(|(_, key)| &key.columns);
        let referenced = if fk.referenced.is_empty() { primary() } else { Some(&fk.referenced) };
        let columns = referenced.into_iter().flatten();
        marks.reads.extend(columns.map(|column| Address::column(&fk.references, column)));
    }
}

/// A table is filled when all that its rows are made from and refer to has its values.
pub(super) fn populate(populate: &Populate, ground: &Ground<'_>, marks: &mut Footmarks) {
    for column in populate.set.keys() {
        let at = Address::column(&populate.table, column);
        marks.stands_on.insert(at.clone());
        if populate.last {
            marks.late_fills.insert(at)
        } else {
            marks.fills.insert(at)
        };
    }
    marks.reads.insert(Address::table(&populate.from));
    for sql in populate.set.values().chain(&populate.join).chain(&populate.group_by) {
        expression_reads(&populate.from, sql, ground, marks);
    }
    selection_reads(&populate.from, &populate.rows, ground, marks);
    marks.reads.extend(populate.columns.values().map(|now| Address::column(&populate.from, now)));
    referred(&populate.table, ground, marks);
    if populate.last {
        // It comes after the first of them, whichever object's steps it is among.
        marks.reads.extend(populate.set.keys().map(|column| Address::column(&populate.table, column)));
    } else {
        marks.reads.retain(|at| at.relation().as_ref() != Some(&populate.table));
    }
}

/// Rows leave and change once all that they are made from has its values.
pub(super) fn revise(revise: &Revise, ground: &Ground<'_>, marks: &mut Footmarks) {
    for source in &revise.sources {
        populate(&Populate { last: true, ..source.clone() }, ground, marks);
    }
    marks.reads.extend(revise.reads.iter().cloned());
    marks.stands_on.extend(revise.referrers.iter().map(|referrer| Address::table(&referrer.table)));
}

/// What the conditions read by which a transform chooses rows.
pub(super) fn selection_reads(table: &Qualified, rows: &Selection, ground: &Ground<'_>, marks: &mut Footmarks) {
    let given = rows.given.iter().flat_map(BTreeMap::values);
    for sql in rows.only.iter().chain(rows.rejects.iter().map(|rule| &rule.when)).chain(given) {
        expression_reads(table, sql, ground, marks);
    }
}
