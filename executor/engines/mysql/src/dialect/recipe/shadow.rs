//! How a table gets a form that the server could only give it by a copy under a lock: a table of that form beside it, kept equal by
//! triggers in both directions, filled in batches, and exchanged for it by one RENAME.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Context, Draft, Fingerprint, Group, Kind, Name, Object, ObjectKind,
    Phase, Qualified, Rule, Schema, Sql, Table,
    kind::{AlterColumn, CopyRows, Create, Drop, Finish, Shadow, Swap},
    schema::{Index, IndexedBy, Source},
};

use super::{
    numbers,
    reshape::{self, First},
    tied::{self, Tie},
};
use crate::{
    dialect::{
        define, kept, names,
        normalize::{collation_of, index_at},
        online::{self, Way},
        shadow as sql, types, weigh,
    },
    flavor::{Flavor, charset_of},
};

/// How a table gets its form by another beside it.
pub(super) struct Beside {
    /// The form that it has before.
    from: Table,
    /// The form that it gets.
    to: Table,
    /// What tells this exchange from others.
    pub(super) mark: Fingerprint,
    /// What is done in place afterwards.
    pub(super) rest: Vec<Kind>,
}

/// Whether a table of the plan goes by another beside it; if not, why its changes cannot be made so. It is known of each table of `seen`
/// that it can, if the one that is asked for can.
pub(super) fn able(
    flavor: &Flavor,
    at: &Qualified,
    context: &Context<'_>,
    seen: &mut BTreeSet<Qualified>,
) -> Result<Beside, String> {
    let of_table = |group: &&Group| group.at == Address::table(at) && context.renamed.table(at).is_some();
    let group = context.groups.iter().find(of_table).ok_or_else(String::new)?;
    let first = reshape::first(flavor, &super::of_table(group), group, context);
    divide(flavor, &first, at, context, seen)
}

/// Divides the changes that one ALTER would do under a lock; if they have to be done so, why.
pub(super) fn divide(
    flavor: &Flavor,
    first: &First,
    at: &Qualified,
    context: &Context<'_>,
    seen: &mut BTreeSet<Qualified>,
) -> Result<Beside, String> {
    let now = &first.now;
    let table = now.table(at).ok_or_else(String::new)?;
    let copied = |kind: &&Kind| online::way(flavor, kind, now) == Way::Copy;
    if !first.piles.reshape.iter().any(|kind| copied(&kind)) {
        return Err(String::new());
    }
    let (mut moved, mut rest) = (Vec::new(), Vec::new());
    for change in &first.piles.reshape {
        match change {
            Kind::AlterColumn(k) if copied(&change) => {
                let first = loosened(k);
                if !moves(flavor, &first, table, now, at) {
                    return Err(format!("not every value of {} stays what it is", k.from.name));
                }
                if first.to != k.to {
                    rest.push(AlterColumn { from: first.to.clone(), ..k.clone() }.into());
                }
                moved.push(first.into());
            }
            Kind::AlterTable(k) if copied(&change) => {
                if !keeps_rows(flavor, &k.from, &k.to, table, now, at) {
                    return Err("not every row fits its new settings".to_owned());
                }
                moved.push(change.clone());
            }
            other => rest.push(other.clone()),
        }
    }
    if let Some(other) = rest.iter().find(copied) {
        return Err(format!("{} comes with it", other.address()));
    }
    first.hindrance().map_or(Ok(()), Err)?;
    hindrance(flavor, at, table, now, context).map_or(Ok(()), Err)?;
    tied::hindrance(flavor, at, now, context, seen).map_or(Ok(()), Err)?;
    let mut form = now.clone();
    let _ = reshape::together(at, moved, &mut form);
    let (from, to) = (table.clone(), form.table(at).cloned().ok_or_else(String::new)?);
    let mark = Fingerprint::of(&(at, &from, &to));
    Ok(Beside { from, to, mark, rest })
}

/// A change without what running clients could stumble over: NULLs are refused only when the table has its form.
fn loosened(k: &AlterColumn) -> AlterColumn {
    let not_null = k.to.not_null && k.from.not_null;
    AlterColumn { to: Column { not_null, ..k.to.clone() }, ..k.clone() }
}

/// What stops a table from having another beside it whose place it gives up: something of the user's fires on it, its rows cannot be told
/// apart, or another step of the plan works on it meanwhile.
fn hindrance(flavor: &Flavor, at: &Qualified, table: &Table, now: &Schema, context: &Context<'_>) -> Option<String> {
    let innodb = table.options.get("engine").is_none_or(|e| e.eq_ignore_ascii_case("InnoDB"));
    let triggers = |schema: &Schema| {
        schema.objects.keys().any(|key| key.kind() == ObjectKind::Trigger && key.relation().as_ref() == Some(at))
    };
    let odd = |c: &&Column| {
        matches!(types::base(&c.data_type), "vector" | "geometry" | "point" | "linestring" | "polygon")
            || types::base(&c.data_type).starts_with("multi")
            || types::base(&c.data_type) == "geometrycollection"
    };
    // A check has the database's own name space on MySQL, and none of its names can be given away.
    let named_check = |c: &Constraint| matches!(c.rule, Rule::Check { .. }) && !define::is_column_check(c);
    let why = if !flavor.swaps_tables() {
        "this server may lose a table in the exchange if it stops just then"
    } else if !innodb {
        "it is not of InnoDB"
    } else if table.options.contains_key("system_versioned") {
        "it keeps its history"
    } else if let Some(column) = table.columns.iter().find(odd) {
        return Some(format!("values like those of {} cannot be compared", column.name));
    } else if !flavor.is_maria() && table.constraints.values().any(named_check) {
        "the names of its checks are the database's"
    } else if kept::row_key(table, now, at).is_none() {
        "it has no key that tells its rows apart"
    } else if [context.renamed, context.goal, now].into_iter().any(triggers) {
        "its triggers would fire twice"
    } else if let Some(name) = stray_index(at, table, now, context) {
        return Some(format!("its index {name} changes in the same plan"));
    } else {
        return None;
    };
    Some(why.to_owned())
}

/// Whether a table or a column of it gets another name.
pub(super) fn is_renamed(at: &Qualified, context: &Context<'_>) -> bool {
    context.tables.contains_key(at) || context.columns.keys().any(|column| column.relation().as_ref() == Some(at))
}

/// An index that the plan changes in a way that can wait neither for the table of the new form nor for the time after the exchange.
fn stray_index(at: &Qualified, table: &Table, now: &Schema, context: &Context<'_>) -> Option<Name> {
    let tied = table.constraints.values().any(|c| c.foreign_key().is_some()) || now.references_to(at).next().is_some();
    let of = |object: &Object| matches!(&object.body, Body::Index(index) if index.table == *at);
    let changes = context.groups.iter().flat_map(|group| &group.changes);
    let mut stray = changes.filter_map(|change| match change {
        Kind::Create(k) if of(&k.object) => {
            let comes_early = matches!(&k.object.body, Body::Index(index)
                if numbers::brings(&k.at, index, context)
                    || !index.unique && !comes_beside(&k.at, index, context) && !context.renamed.contains(&k.at));
            (tied || comes_early).then(|| k.at.name().clone())
        }
        Kind::Drop(k) if of(&k.object) => {
            let stuck = outgrown(&k.object, context) && !exchanged_beside(&k.at, context);
            (tied || stuck).then(|| k.at.name().clone())
        }
        Kind::Replace(k) if of(&k.from) || of(&k.to) => tied.then(|| k.at.name().clone()),
        Kind::Rename(k) if k.from.is_index_under(at) => Some(k.from.name().clone()),
        Kind::Comment(k) if k.at.is_index_under(at) => Some(k.at.name().clone()),
        _ => None,
    });
    stray.next()
}

/// Whether an index can be made with the table of the new form: under a name that is free, over columns that are there before the plan.
fn comes_beside(at: &Address, index: &Index, context: &Context<'_>) -> bool {
    let is_new = !context.renamed.contains(at) && !index.unique && index.method.is_none();
    is_new && over_present(index, context)
}

/// Whether an index is over columns that are there before the plan.
fn over_present(index: &Index, context: &Context<'_>) -> bool {
    let there = |name: &Name| context.renamed.table(&index.table).is_some_and(|table| table.column(name).is_some());
    index.parts.iter().all(|part| matches!(&part.what, IndexedBy::Column(name) if there(name)))
}

/// Whether the table of a new index goes by another beside it, with which the index comes.
pub(super) fn brings(flavor: &Flavor, at: &Address, index: &Index, context: &Context<'_>) -> bool {
    comes_beside(at, index, context) && goes(flavor, &index.table, context)
}

/// Whether a table goes by another beside it.
pub(super) fn goes(flavor: &Flavor, at: &Qualified, context: &Context<'_>) -> bool {
    able(flavor, at, context, &mut BTreeSet::from([at.clone()])).is_ok()
}

/// Whether a column of an index gets a type of which the server indexes no whole value, so that the index cannot be over it as it is.
fn outgrown(object: &Object, context: &Context<'_>) -> bool {
    let Body::Index(index) = &object.body else { return false };
    let type_in = |schema: &Schema, name: &Name| Some(schema.table(&index.table)?.column(name)?.data_type.clone());
    let whole =
        |data_type: &str| !types::base(data_type).ends_with("text") && !types::base(data_type).ends_with("blob");
    index.method.is_none()
        && index.parts.iter().filter(|part| part.opclass.is_none()).any(|part| match &part.what {
            IndexedBy::Column(name) => {
                type_in(context.renamed, name).is_some_and(|was| whole(&was))
                    && type_in(context.goal, name).is_some_and(|is| !whole(&is))
            }
            IndexedBy::Expression(_) => false,
        })
}

/// Whether an index that its column outgrows has another form in the goal, which can be made with the table of the new form.
fn exchanged_beside(at: &Address, context: &Context<'_>) -> bool {
    let (Some(was), Some(is)) = (context.renamed.objects.get(at), context.goal.objects.get(at)) else { return false };
    let plain = |object: &Object| match &object.body {
        Body::Index(index) => !index.unique && index.method.is_none() && over_present(index, context),
        _ => false,
    };
    outgrown(was, context) && was.comment == is.comment && plain(was) && plain(is)
}

/// Whether an index that is exchanged comes with the table that takes the place of its own.
pub(super) fn exchanges(flavor: &Flavor, at: &Address, of: &Index, context: &Context<'_>) -> bool {
    exchanged_beside(at, context) && goes(flavor, &of.table, context)
}

/// The new indexes that come with the table of the new form, and those that it has in another form.
fn new_indexes(on: &Qualified, of: &Qualified, context: &Context<'_>) -> BTreeMap<Address, Arc<Object>> {
    let changes = context.groups.iter().flat_map(|group| &group.changes);
    let comes =
        |at: &Address, object: &Object| matches!(&object.body, Body::Index(index) if comes_beside(at, index, context));
    let made = changes.filter_map(|change| match change {
        Kind::Create(k) if comes(&k.at, &k.object) || exchanged_beside(&k.at, context) => Some((&k.at, &k.object)),
        _ => None,
    });
    let own = made.filter(|(_, object)| matches!(&object.body, Body::Index(index) if index.table == *of));
    own.filter_map(|(at, object)| moved(on, at, object)).collect()
}

/// Whether the plan makes, drops or exchanges indexes of a table.
pub(super) fn changes_indexes(at: &Qualified, context: &Context<'_>) -> bool {
    context.groups.iter().any(|group| works_on_indexes(group, at))
}

/// Whether a group makes, drops or exchanges indexes of a table.
fn works_on_indexes(group: &Group, at: &Qualified) -> bool {
    let of = |object: &Object| matches!(&object.body, Body::Index(index) if index.table == *at);
    group.changes.iter().any(|change| match change {
        Kind::Create(k) => of(&k.object),
        Kind::Drop(k) => of(&k.object),
        Kind::Replace(k) => of(&k.from) || of(&k.to),
        Kind::Rename(k) => k.from.is_index_under(at),
        Kind::Comment(k) => k.at.is_index_under(at),
        _ => false,
    })
}

/// Whether the new form of a column holds whatever the old one does, and rows stay apart that are.
fn moves(flavor: &Flavor, k: &AlterColumn, table: &Table, now: &Schema, at: &Qualified) -> bool {
    let (from, to) = (&k.from, &k.to);
    let plain = |c: &Column| !matches!(c.value, ColumnValue::Generated { .. });
    let identity_stays = !online::is_identity(from) || online::is_identity(to);
    let collations = [from, to].map(|c| c.collation.clone().unwrap_or_else(|| collation_of(flavor, table)));
    let text = types::is_text(&from.data_type) && types::is_text(&to.data_type);
    plain(from)
        && plain(to)
        && identity_stays
        && k.using.is_none()
        && (from.data_type == to.data_type || holds(from, to))
        && (!text || collates(&collations[0], &collations[1], &from.name, table, now, at))
}

/// Whether a type holds what another does, to the letter.
fn holds(from: &Column, to: &Column) -> bool {
    let (a, b) = (types::base(&from.data_type), types::base(&to.data_type));
    // A CHAR has no spaces at its end.
    // A SET says its members in their order.
    let in_order = || {
        let new = types::members(&to.data_type);
        let places: Vec<_> = types::members(&from.data_type).iter().map(|m| new.iter().position(|n| n == m)).collect();
        places.is_sorted()
    };
    weigh::widens(from, to) && !(a == "varchar" && b == "char") && (a != "set" || in_order())
}

/// Whether a character set holds what another does, and no key of the column could find two values alike that were not.
fn collates(from: &str, to: &str, column: &Name, table: &Table, now: &Schema, at: &Qualified) -> bool {
    let (a, b) = (charset_of(from), charset_of(to));
    let holds = a == b || b == "utf8mb4" && a != "binary" || b == "utf8mb3" && matches!(a, "latin1" | "ascii");
    let in_key = |index: &Index| {
        index.unique
            && index.parts.iter().any(|part| match &part.what {
                IndexedBy::Column(name) => name == column,
                IndexedBy::Expression(text) => crate::dialect::text::mentions(text).contains(column),
            })
    };
    let keyed = table.primary_key().is_some_and(|(_, key)| key.columns.contains(column))
        || now.indexes_of(at).any(|(_, index)| in_key(index));
    holds && (from == to || !keyed)
}

type Options = BTreeMap<String, String>;

/// Whether settings of a table can change without a row that no longer fits.
fn keeps_rows(flavor: &Flavor, from: &Options, to: &Options, table: &Table, now: &Schema, at: &Qualified) -> bool {
    let differs = |key: &str| from.get(key) != to.get(key);
    let takes_all = |by: &String| {
        let words = by.trim_start().to_ascii_lowercase();
        ["hash", "key", "linear"].iter().any(|word| words.starts_with(word))
    };
    let collation = |options: &Options| options.get("collation").cloned().unwrap_or_else(|| flavor.collation.clone());
    let follow = table.columns.iter().filter(|c| c.collation.is_none() && types::is_text(&c.data_type));
    !differs("engine")
        && !differs("system_versioned")
        && (!differs("partition_by") || to.get("partition_by").is_none_or(takes_all))
        && (!differs("collation")
            || follow.into_iter().all(|c| collates(&collation(from), &collation(to), &c.name, table, now, at)))
}

/// Where the old table is after an exchange.
pub(super) fn aside(at: &Qualified, mark: &Fingerprint) -> Qualified {
    at.sibling(names::own("old", mark, at.name.as_str()))
}

/// All drafts of a table that gets its form beside itself: `now` is the schema before.
pub(super) fn drafts(
    flavor: &Flavor,
    at: &Qualified,
    now: &mut Schema,
    beside: &Beside,
    context: &Context<'_>,
) -> Option<Vec<Draft>> {
    let (from, mark) = (&beside.from, &beside.mark);
    let object = now.objects.get(&Address::table(at)).map(|o| Object::clone(o))?;
    let ties = tied::of_exchange(flavor, at, mark, now, context);
    let untied = |table: &Table| {
        let mut out = table.clone();
        out.constraints.retain(|_, c| !matches!(c.rule, Rule::ForeignKey(_)));
        out
    };
    let to = &untied(&beside.to);
    let name = |prefix: &str| names::own(prefix, mark, at.name.as_str());
    let sibling = |prefix: &str| at.sibling(name(prefix));
    let own = |table: &Table, column: &Name| {
        table.column(column).is_some_and(|c| !matches!(c.value, ColumnValue::Generated { .. }))
    };
    let columns = to.columns.iter().map(|c| c.name.clone()).filter(|c| own(from, c) && own(to, c)).collect();
    let shadow = Shadow {
        table: at.clone(),
        beside: sibling("new"),
        aside: aside(at, mark),
        key: kept::row_key(from, now, at)?,
        columns,
    };
    let made = Object { body: Body::Table(to.clone()), ..object };
    let mut with = indexes_at(&shadow.beside, at, now);
    with.extend(new_indexes(&shadow.beside, at, context));
    let trigger = |on: &Qualified, into: &Qualified, event: sql::Event, prefix: &str| {
        let name = name(&format!("{prefix}_{}", event.word()));
        let text = Sql::new(sql::trigger(&shadow, &name, on, into, event));
        let object = Object::new(Body::Source(Source { create: vec![text], needs: Default::default() }));
        (Address::member(ObjectKind::Trigger, on, name), Arc::new(object))
    };
    let triggers = |on: &Qualified, into: &Qualified, prefix: &str| -> Vec<(Address, Arc<Object>)> {
        sql::Event::ALL.into_iter().map(|event| trigger(on, into, event, prefix)).collect()
    };
    let Shadow { table, beside, aside, .. } = &shadow;
    let (forth, back) = (triggers(table, beside, "to"), triggers(beside, aside, "fro"));
    let (forth_after, back_after) = (triggers(aside, beside, "to"), triggers(table, aside, "fro"));

    let mut out: Vec<_> = ties.iter().map(Tie::hold).collect();
    out.push(Draft::new(
        Create { with, ..Create::new(Address::table(beside), made) },
        Phase::Expand,
        format!("makes a table of the new form beside {at}"),
    ));
    for (place, object) in back {
        let why = format!("lets what is written into it once it is {at} reach the old table");
        out.push(Draft::new(Create::new(place, object), Phase::Expand, why));
    }
    for (place, object) in &forth {
        let why = format!("lets what is written into {at} reach the table beside it");
        out.push(Draft::new(Create::new(place.clone(), object.clone()), Phase::Expand, why));
    }
    let copy = CopyRows { shadow: shadow.clone() };
    out.push(Draft::new(copy, Phase::Backfill, format!("copies the rows of {at}")));
    let carries = forth_after.iter().chain(&back_after).cloned().collect();
    let why = format!("gives the table of the new form the name {at}");
    out.push(Draft::new(Swap { shadow: shadow.clone(), carries }, Phase::Switch, why));
    out.extend(ties.iter().flat_map(|tie| tie.settle(Some(&shadow))));
    let settle = Finish { shadow: shadow.clone() };
    let why = "from here on the old table stays as it is";
    out.push(Draft::new(settle, Phase::Contract, why));
    for (place, object) in back_after.into_iter().rev() {
        out.push(Draft::new(Drop::new(place, object), Phase::Contract, why));
    }
    let with = indexes_at(aside, at, now).into_iter().chain(forth_after).collect();
    let object =
        now.objects.get(&Address::table(at)).map(|o| Object { body: Body::Table(untied(from)), ..Object::clone(o) })?;
    let gone = Drop { at: Address::table(aside), object: object.into(), with };
    out.push(Draft::new(gone, Phase::Contract, format!("keeps the old table of {at} until `mig gc`")));
    for draft in &out {
        // What cannot be applied here is found and said when the plan is put together.
        let _ = now.apply(&draft.change);
    }
    Some(out)
}

/// The indexes of a table as another of the same columns has them.
fn indexes_at(on: &Qualified, of: &Qualified, schema: &Schema) -> BTreeMap<Address, Arc<Object>> {
    schema.indexes_of(of).filter_map(|(at, _)| moved(on, at, schema.objects.get(at)?)).collect()
}

/// An index as another table of the same columns has it.
fn moved(on: &Qualified, at: &Address, object: &Object) -> Option<(Address, Arc<Object>)> {
    let Body::Index(index) = &object.body else { return None };
    let body = Body::Index(Index { table: on.clone(), ..index.clone() });
    Some((Address::index(&index_at(on, at.name())), Arc::new(Object { body, ..object.clone() })))
}
