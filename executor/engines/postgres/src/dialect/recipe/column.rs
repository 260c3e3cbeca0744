//! How columns are added and changed.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Column, ColumnValue, Constraint, Context, Draft, Grant, Group, HazardCode, Kind, Name, Phase, Qualified,
    Rule, Sql,
    kind::{
        AddColumn, AddConstraint, AlterColumn, Backfill, DropColumn, DropConstraint, Privileges, Selection,
        ValidateConstraint,
    },
    schema::Validity,
};

use super::{fill, movers, numbered, twins, warned};
use crate::dialect::{
    casts, keep,
    names::{generated, quote},
    published, versions,
};

/// The name of the check that proves for a moment that a column has no NULL.
pub(crate) fn not_null_helper(table: &Qualified, column: &Name) -> Name {
    generated("_mig_nn_", &(table, column), column.as_str())
}

/// The drafts of a new column on a table that is there.
pub(crate) fn add(change: &AddColumn, group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let (table, goal) = (&change.table, &change.column);
    if goal.data_type.is_empty() {
        let phase = if goal.not_null { Phase::Contract } else { Phase::Expand };
        return vec![Draft::new(change.clone(), phase, format!("{} differs from its parent's", goal.name))];
    }
    let declared = group.fill.as_ref().is_some_and(|f| f.set.contains_key(&goal.name));
    let default = match &goal.value {
        ColumnValue::Default(value) => Some(value),
        _ => None,
    };
    let differs = default.filter(|value| casts::is_volatile(value.as_str()));
    if let Some(drafts) = numbered::add(change, group, context).filter(|_| !declared) {
        return drafts;
    }
    let computed = matches!(goal.value, ColumnValue::Generated { .. } | ColumnValue::Identity { .. });
    // Where the server lets nobody update rows, they get their values as they are written anew.
    let on_the_spot = || [context.renamed, context.goal].iter().any(|schema| !published::lets_update(table, schema));
    if computed || !declared && (differs.is_none() || on_the_spot()) {
        let draft = Draft::new(change.clone(), Phase::Expand, format!("adds {}", goal.name));
        return vec![draft];
    }
    let mut now = Column { not_null: false, value: ColumnValue::Plain, ..goal.clone() };
    let added = AddColumn { table: table.clone(), column: now.clone() };
    let mut drafts = vec![Draft::new(added, Phase::Expand, format!("adds {}, empty at first", goal.name))];
    if default.is_some() {
        let to = Column { value: goal.value.clone(), ..now.clone() };
        drafts.push(step(table, &mut now, to, Phase::Expand, "gives new rows its default"));
    }
    if let (Some(value), false) = (differs, declared) {
        drafts.push(Draft::new(
            own_backfill(table, &goal.name, value, group),
            Phase::Backfill,
            "gives existing rows their own value each",
        ));
    }
    if goal.not_null {
        let mut required = require(table, &mut now).into_iter();
        // Nobody writes NULL any more, so what is left is all there is.
        drafts.extend(required.next());
        drafts.extend(since(change, group, context));
        drafts.extend(required);
    }
    drafts
}

/// The values of rows that clients of the old schema have written since the backfill went by. A row that has one keeps it: clients of the
/// new schema write it themselves.
fn since(change: &AddColumn, group: &Group, context: &Context<'_>) -> Option<Draft> {
    let (table, column) = (&change.table, &change.column.name);
    let transform = group.fill.as_ref()?;
    let by = transform.set.get(column)?;
    let own = |name: &Name| name == column;
    if !transform.rows.rejects.is_empty() || transform.rows.given_columns().any(own) {
        return None;
    }
    let empty = format!("{}.{} IS NULL", quote(&table.name), quote(column));
    let only = transform.rows.only.as_ref().map_or_else(|| empty.clone(), |only| format!("({only}) AND {empty}"));
    let kind = Backfill {
        table: table.clone(),
        alias: table.name.clone(),
        set: [(column.clone(), by.clone())].into(),
        columns: fill::base_names(group, context),
        overwrites: false,
        rows: Selection { only: Some(Sql::new(only)), late: true, ..Selection::default() },
        batch_rows: transform.batch_rows,
    };
    let why = format!("gives rows that old clients have written since their {column}");
    Some(Draft::new(kind, Phase::Contract, why))
}

pub(super) fn own_backfill(table: &Qualified, column: &Name, value: &Sql, group: &Group) -> Backfill {
    Backfill {
        table: table.clone(),
        alias: table.name.clone(),
        set: [(column.clone(), value.clone())].into(),
        columns: Default::default(),
        overwrites: false,
        rows: Default::default(),
        batch_rows: group.fill.as_ref().and_then(|f| f.batch_rows),
    }
}

/// One alteration on the way from a column as it is to the goal.
pub(super) fn step(table: &Qualified, now: &mut Column, to: Column, phase: Phase, why: &str) -> Draft {
    let from = std::mem::replace(now, to.clone());
    Draft::new(AlterColumn { table: table.clone(), from, to, using: None }, phase, why)
}

/// NOT NULL without reading the table under a strong lock: a check, proved on the side, stands in for the scan.
pub(super) fn require(table: &Qualified, now: &mut Column) -> Vec<Draft> {
    let name = not_null_helper(table, &now.name);
    let expression = Sql::new(format!("({})", keep::is_given(&quote(&now.name), &now.data_type)));
    let check = Constraint { validity: Validity::NotValid, ..Constraint::new(Rule::Check { expression }) };
    let add = AddConstraint { table: table.clone(), name: name.clone(), constraint: check.clone() };
    let prove = ValidateConstraint { table: table.clone(), name: name.clone(), stood: false, forgets: false };
    let proved = Constraint { validity: Validity::Valid, ..check };
    let drop = DropConstraint { table: table.clone(), name, constraint: proved };
    let column = now.name.clone();
    let mark = format!("not-null {column}");
    let required = Column { not_null: true, ..now.clone() };
    let refuse = Draft::new(add, Phase::Contract, format!("refuses NULL in {column} from now on"));
    vec![
        warned(refuse, HazardCode::TightensRule, "running clients that still write NULL get errors"),
        Draft::new(prove, Phase::Contract, format!("proves that no row has NULL in {column}")),
        step(table, now, required, Phase::Contract, "makes it required; the proof spares the scan").together(&mark),
        Draft::new(drop, Phase::Contract, "the proof has served").together(&mark),
    ]
}

/// Puts what is about rows that were written since before anything else of its phase: afterwards what it reads may be gone.
pub(crate) fn late_first(drafts: &mut [Draft]) {
    let late = |change: &Kind| -> Vec<Name> {
        match change {
            Kind::Backfill(k) if k.rows.late => k.set.keys().map(|column| not_null_helper(&k.table, column)).collect(),
            _ => Vec::new(),
        }
    };
    let helpers: BTreeSet<Name> = drafts.iter().flat_map(|draft| late(&draft.change)).collect();
    let first = |change: &Kind| match change {
        Kind::Backfill(k) => k.rows.late,
        Kind::AddConstraint(k) => helpers.contains(&k.name),
        _ => false,
    };
    drafts.sort_by_key(|draft| (draft.phase, !first(&draft.change)));
}

/// The drafts of a changed column. One that moves to another type beside running clients goes to `moving`, as it is by then.
pub(crate) fn alter<'a>(
    change: &'a AlterColumn,
    group: &Group,
    context: &Context<'_>,
    version: u32,
    moving: &mut Vec<(Column, &'a AlterColumn)>,
) -> Vec<Draft> {
    let (table, goal) = (&change.table, &change.to);
    if remade(change, version) {
        return remake(change, group, context);
    }
    let retyped = change.from.data_type != goal.data_type || change.from.collation != goal.collation;
    let mut now = change.from.clone();
    let mut drafts = early(change, group, &mut now, retyped);
    if movers::Movers::of(context).has(change) {
        moving.push((now.clone(), change));
        now = twins::Move::moved(&now, change);
    } else if retyped {
        drafts.push(retype(change, group, context, &mut now));
    }
    if goal.not_null && !now.not_null {
        drafts.extend(require(table, &mut now));
    }
    if now.value != goal.value {
        let from = now.value.clone();
        let to = Column { value: goal.value.clone(), ..now.clone() };
        let gone = matches!((&from, &goal.value), (ColumnValue::Default(_), ColumnValue::Plain));
        let draft = step(table, &mut now, to, Phase::Contract, "changes where its value comes from");
        let draft = numbered(draft, &from, &goal.value);
        drafts.push(if gone {
            warned(draft, HazardCode::DefaultGone, "writers that leave the column out get NULL or an error")
        } else {
            draft
        });
        as_one(&mut drafts, &goal.name);
    }
    if now.not_null && !goal.not_null {
        let to = Column { not_null: false, ..now.clone() };
        drafts.push(nullable(step(table, &mut now, to, Phase::Contract, "allows NULL")));
    }
    drafts
}

/// Says it where a column gets its numbers from elsewhere.
pub(super) fn numbered(draft: Draft, from: &ColumnValue, to: &ColumnValue) -> Draft {
    let identity = |value: &ColumnValue| matches!(value, ColumnValue::Identity { .. });
    if from != to && (identity(from) || identity(to)) {
        return warned(draft, HazardCode::IdentityChange, "ids are given out otherwise from then on");
    }
    draft
}

/// Makes one transaction of a changed type, which takes the old default, and what comes in its place.
fn as_one(drafts: &mut [Draft], column: &Name) {
    let retyped = |draft: &Draft| matches!(&draft.change, Kind::AlterColumn(k) if k.from.data_type != k.to.data_type);
    let [.., retype, value] = drafts else { return };
    if retyped(retype) {
        for draft in [retype, value] {
            draft.atomic = Some(format!("retype {column}"));
        }
    }
}

/// The mark of drafts that make a column anew.
pub(super) fn remake_mark(column: &Name) -> String {
    format!("remake {column}")
}

/// Drops a column and adds it again, with the privileges on it, in one transaction.
fn remake(change: &AlterColumn, group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let (table, name) = (&change.table, &change.to.name);
    let drop = DropColumn { table: table.clone(), column: change.from.clone() };
    let add = AddColumn { table: table.clone(), column: change.to.clone() };
    let mut drafts = vec![
        Draft::new(drop, Phase::Contract, format!("{name} is computed otherwise: it is made anew")),
        Draft::new(add, Phase::Contract, format!("adds {name} under its new definition")),
    ];
    let at = Address::table(table);
    let declared = group.changes.iter().find_map(|c| if let Kind::Privileges(k) = c { Some(&k.to) } else { None });
    let grants = declared.or_else(|| context.renamed.objects.get(&at).map(|o| &o.grants)).cloned().unwrap_or_default();
    let (own, others): (BTreeSet<Grant>, BTreeSet<Grant>) =
        grants.iter().cloned().partition(|grant| grant.column.as_ref() == Some(name));
    if !own.is_empty() {
        let take = Privileges { at: at.clone(), from: grants.clone(), to: others.clone() };
        let give = Privileges { at, from: others, to: grants };
        drafts.insert(0, Draft::new(take, Phase::Contract, format!("privileges on {name} go with it")));
        drafts.push(Draft::new(give, Phase::Contract, format!("privileges on {name} come with it")));
    }
    let mark = remake_mark(name);
    drafts.into_iter().map(|draft| draft.together(&mark)).collect()
}

fn nullable(draft: Draft) -> Draft {
    warned(draft, HazardCode::NullableAgain, "readers may meet NULL where there was none")
}

/// Whether a column can only change by being dropped and added.
pub(crate) fn remade(change: &AlterColumn, version: u32) -> bool {
    let generated = |value: &ColumnValue| matches!(value, ColumnValue::Generated { .. });
    match (&change.from.value, &change.to.value) {
        (a, b) if a == b => false,
        (ColumnValue::Generated { stored: a, .. }, ColumnValue::Generated { stored: b, .. }) => {
            a != b || (*a && version < versions::SET_EXPRESSION) || change.from.data_type != change.to.data_type
        }
        (ColumnValue::Generated { stored, .. }, _) => !stored,
        (_, b) => generated(b),
    }
}

/// What old clients do not notice: settings, looser rules, defaults.
fn early(change: &AlterColumn, group: &Group, now: &mut Column, retyped: bool) -> Vec<Draft> {
    let (table, goal) = (&change.table, &change.to);
    let mut drafts = Vec::new();
    if now.options != goal.options || now.comment != goal.comment {
        let to = Column { options: goal.options.clone(), comment: goal.comment.clone(), ..now.clone() };
        drafts.push(step(table, now, to, Phase::Expand, "changes its settings"));
    }
    let identity = |value: &ColumnValue| matches!(value, ColumnValue::Identity { .. });
    if now.not_null && !goal.not_null && !identity(&now.value) && !leaves_key(group, &goal.name) {
        let to = Column { not_null: false, ..now.clone() };
        drafts.push(nullable(step(table, now, to, Phase::Expand, "allows NULL")));
    }
    let plain = matches!(now.value, ColumnValue::Plain | ColumnValue::Default(_));
    // One that is taken away before comes back when its time has come.
    let taken = |other: &Kind| match other {
        Kind::AlterColumn(k) => k != change && k.to.name == goal.name && k.to.value.is_plain(),
        _ => false,
    };
    let new = now.value != goal.value && !group.changes.iter().any(taken);
    if let (true, false, true, ColumnValue::Default(_)) = (plain, retyped, new, &goal.value) {
        let to = Column { value: goal.value.clone(), ..now.clone() };
        drafts.push(step(table, now, to, Phase::Expand, "gives new rows another default"));
    }
    drafts
}

/// Puts the drop of a column after the end of a key that it is in.
pub(crate) fn drops_last(drafts: &mut Vec<Draft>) {
    let mut at = 0;
    while at < drafts.len() {
        let Kind::DropColumn(k) = &drafts[at].change else {
            at += 1;
            continue;
        };
        let holds = |draft: &Draft| match &draft.change {
            Kind::DropConstraint(c) => c.constraint.columns().contains(&k.column.name),
            _ => false,
        };
        let last = drafts.iter().rposition(holds).filter(|last| *last > at && drafts[*last].phase == drafts[at].phase);
        let Some(mut last) = last else {
            at += 1;
            continue;
        };
        while drafts.get(last + 1).is_some_and(|next| next.atomic.is_some() && next.atomic == drafts[last].atomic) {
            last += 1;
        }
        let draft = drafts.remove(at);
        drafts.insert(last, draft);
    }
}

/// Puts what lets columns of a dropped primary key be NULL after the drop.
pub(crate) fn loosen_last(drafts: &mut Vec<Draft>, group: &Group) {
    let loosens = |draft: &Draft| match &draft.change {
        Kind::AlterColumn(k) => k.from.not_null && !k.to.not_null && leaves_key(group, &k.from.name),
        _ => false,
    };
    let is_key = |draft: &Draft| match &draft.change {
        Kind::DropConstraint(k) => matches!(k.constraint.rule, Rule::PrimaryKey(_)),
        _ => false,
    };
    let Some(mut key) = drafts.iter().rposition(is_key) else { return };
    while drafts.get(key + 1).is_some_and(|next| next.atomic.is_some() && next.atomic == drafts[key].atomic) {
        key += 1;
    }
    let of = |draft: &Draft, name: &Name| matches!(&draft.change, Kind::AlterColumn(k) if k.from.name == *name);
    while let Some(at) = drafts.iter().take(key).position(loosens) {
        let Kind::AlterColumn(k) = &drafts[at].change else { return };
        let name = k.from.name.clone();
        let apart = drafts[at].atomic.is_none() && drafts[at].phase == drafts[key].phase;
        if !apart || drafts[at + 1..=key].iter().any(|draft| of(draft, &name)) {
            return;
        }
        let draft = drafts.remove(at);
        drafts.insert(key, draft);
        key -= 1;
    }
}

/// Whether the column is in a primary key that is dropped, which keeps it required until then.
fn leaves_key(group: &Group, column: &Name) -> bool {
    group.changes.iter().any(|change| match change {
        Kind::DropConstraint(k) => match &k.constraint.rule {
            Rule::PrimaryKey(key) => key.columns.contains(column),
            _ => false,
        },
        _ => false,
    })
}

/// The change of the type itself, with the default that goes with it.
fn retype(change: &AlterColumn, group: &Group, context: &Context<'_>, now: &mut Column) -> Draft {
    let goal = &change.to;
    let value = match (&now.value, &goal.value) {
        (ColumnValue::Default(_) | ColumnValue::Plain, ColumnValue::Default(_) | ColumnValue::Plain) => {
            goal.value.clone()
        }
        (ColumnValue::Default(_), _) => ColumnValue::Plain,
        (other, _) => other.clone(),
    };
    let to = Column { data_type: goal.data_type.clone(), collation: goal.collation.clone(), value, ..now.clone() };
    let from = std::mem::replace(now, to.clone());
    let declared = group.fill.as_ref().and_then(|f| f.set.get(&goal.name));
    let declared = declared.map(|expression| by_present_names(expression, &fill::base_names(group, context)));
    let using = change.using.clone().or(declared).map(|e| Sql::new(format!("({e})")));
    let why = format!("makes {} a {}", goal.name, goal.data_type);
    Draft::new(Kind::from(AlterColumn { table: change.table.clone(), from, to, using }), Phase::Contract, why)
}

/// An expression over the base's column names, over those that the columns bear now. All at once: names may be swapped.
fn by_present_names(expression: &Sql, columns: &BTreeMap<Name, Name>) -> Sql {
    let passing = |i: usize| Name::new(format!("_mig_renamed_{i}")).ok();
    let mut text = expression.clone();
    for (i, base) in columns.keys().enumerate() {
        text = passing(i).map_or(text.clone(), |name| text.with_name_replaced(base, &name, quote));
    }
    for (i, present) in columns.values().enumerate() {
        text = passing(i).map_or(text.clone(), |name| text.with_name_replaced(&name, present, quote));
    }
    text
}
