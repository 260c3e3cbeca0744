//! Types for whose change the server has no statement, beside running clients: the new type waits under a name of mig's own, its columns
//! go over to it one by one as to any other type, and in the end it takes the name of the old one, which nobody has any more.

use mig_plan::{
    Address, Body, Column, ColumnValue, Context, Draft, Group, HazardCode, Kind, Object, ObjectKind, Phase, Qualified,
    Rule, Schema, Sql,
    kind::{AdoptType, AlterColumn, Create, Replace, Selection, retyped},
};

use super::{movers::Movers, warned};
use crate::dialect::{
    casts, disturbs,
    names::{generated, qualified, quote},
    render::anew,
};

/// Where a type waits until it takes the place of another one.
pub(crate) fn waiting(at: &Address) -> Address {
    Address::new(at.kind(), &at.qualified().sibling(generated("_mig_type_", at, at.name().as_str())))
}

fn spelt(at: &Address) -> (String, String) {
    (qualified(&waiting(at).qualified()), qualified(&at.qualified()))
}

/// The groups with columns that go over to another type, for each type that can change so; `None` if there is none.
pub(crate) fn beside(context: &Context<'_>) -> Option<Vec<Group>> {
    let mut groups = context.groups.to_vec();
    let changed = context.groups.iter().flat_map(|group| &group.changes).filter_map(|change| match change {
        Kind::Replace(k) if matches!(k.at.kind(), ObjectKind::Enum | ObjectKind::Domain) => Some((k, change)),
        _ => None,
    });
    let mut any = false;
    for (k, _) in changed.filter(|(_, change)| !disturbs::of(change, 0).is_empty()) {
        if let Some(with) = with_columns(&groups, k, context).filter(|with| all_move(with, context)) {
            groups = with;
            any = true;
        }
    }
    any.then_some(groups)
}

/// Whether all columns that are on their way to a waiting type move beside running clients.
fn all_move(groups: &[Group], context: &Context<'_>) -> bool {
    let retyping: Vec<_> = groups.iter().filter(|group| group.changes.iter().any(|c| retypes(c).is_some())).collect();
    let movers = Movers::of(&Context { groups, retyping: &retyping, ..*context });
    let alters = groups.iter().flat_map(|group| &group.changes).filter_map(retypes);
    let mut waits = alters.filter(|k| groups.iter().any(|group| goes_to(k, &group.at)));
    waits.all(|k| movers.has(k))
}

fn retypes(change: &Kind) -> Option<&AlterColumn> {
    match change {
        Kind::AlterColumn(k) if k.from.data_type != k.to.data_type => Some(k),
        _ => None,
    }
}

/// Whether a column goes over to the type that takes the place of another one.
pub(super) fn goes_to(change: &AlterColumn, at: &Address) -> bool {
    let kind = matches!(at.kind(), ObjectKind::Enum | ObjectKind::Domain);
    kind && change.to.data_type.trim_end_matches("[]") == spelt(at).0
}

/// The drafts of a type that takes the place of another one, if its columns go over to it.
pub(super) fn drafts(change: &Replace, context: &Context<'_>) -> Option<Vec<Draft>> {
    let mut alters = context.retyping.iter().flat_map(|group| &group.changes).filter_map(retypes);
    if !alters.any(|k| goes_to(k, &change.at)) {
        return None;
    }
    let (at, waits) = (change.at.clone(), waiting(&change.at));
    let why = format!("makes the new {} under a name of mig's own, for its columns to go over to", at.name());
    let create = Draft::new(Create::new(waits.clone(), Object::clone(&change.to)), Phase::Expand, why);
    let spelt = spelt(&at);
    let (from, to) = (change.from.clone(), change.to.clone());
    let gone = match (&from.body, &to.body) {
        (Body::Enum { values: from }, Body::Enum { values: to }) => from.iter().any(|value| !to.contains(value)),
        _ => false,
    };
    let why = format!("the new {} takes its name; no column has the old one any more", at.name());
    let adopt = Draft::new(AdoptType { at, from, to, waits, spelt, back: false }, Phase::Contract, why);
    let says = "clients that write or compare with a value that is gone get errors from then on";
    let adopt = if gone { warned(adopt, HazardCode::RenameValue, says) } else { adopt };
    Some(vec![create, adopt])
}

/// The groups with the columns of a type on their way to the one that takes its place; `None` where something else holds on to it.
fn with_columns(groups: &[Group], change: &Replace, context: &Context<'_>) -> Option<Vec<Group>> {
    let at = &change.at;
    let users = anew::columns_of(&at.qualified(), context.renamed);
    let rests = |schema: &Schema| !anew::types_over(at, schema).is_empty() || is_spoken_of(at, &users, schema);
    // A column that comes would have the old type.
    let comes =
        |(table, column): &(Qualified, &Column)| !users.iter().any(|(t, c)| t == table && c.name == column.name);
    if anew::columns_of(&at.qualified(), context.goal).iter().any(comes) {
        return None;
    }
    if users.is_empty() || rests(context.renamed) || rests(context.goal) || is_held(at, context) {
        return None;
    }
    let mut groups = groups.to_vec();
    for (table, column) in &users {
        let goal = context.goal.table(table)?.column(&column.name)?;
        if goal.data_type != column.data_type || ![*column, goal].into_iter().all(has_plain_value) {
            return None;
        }
        go_over(&mut groups, change, (table, column))?;
    }
    groups.sort_by(|a, b| a.at.cmp(&b.at));
    Some(groups)
}

/// Lets a column go over to the waiting type.
fn go_over(groups: &mut Vec<Group>, change: &Replace, (table, column): (&Qualified, &Column)) -> Option<()> {
    let holder = Address::table(table);
    if !groups.iter().any(|group| group.at == holder) {
        groups.push(Group { at: holder.clone(), changes: Vec::new(), fill: None });
    }
    let group = groups.iter_mut().find(|group| group.at == holder)?;
    let (waits, own) = spelt(&change.at);
    let array = if column.data_type.ends_with("[]") { "[]" } else { "" };
    let using = match group.fill.as_ref().and_then(|fill| fill.set.get(&column.name).map(|set| (fill, set))) {
        // A condition leaves rows as they are, which have no value of the new type then.
        Some((fill, _)) if fill.rows != Selection::default() => return None,
        Some((_, set)) => Some(Sql::new(format!("({set})::text{array}"))),
        None => through_base(change, column).filter(|_| array.is_empty()),
    };
    let of_column = |c: &&mut Kind| matches!(c, Kind::AlterColumn(k) if k.from.name == column.name);
    if let Some(Kind::AlterColumn(k)) = group.changes.iter_mut().find(of_column) {
        let free = k.using.is_none() && k.from.data_type == k.to.data_type;
        k.to = retyped(&k.to, &own, &waits);
        k.using = using;
        return free.then_some(());
    }
    let to = retyped(column, &own, &waits);
    let alter = AlterColumn { table: table.clone(), from: column.clone(), to, using };
    let adds = |c: &Kind| matches!(c, Kind::AddColumn(_) | Kind::AddConstraint(_));
    let place = group.changes.iter().position(adds).unwrap_or(group.changes.len());
    group.changes.insert(place, alter.into());
    Some(())
}

/// The value of a domain on its way to another one that rests on a type to which the server has a cast.
fn through_base(change: &Replace, column: &Column) -> Option<Sql> {
    let (Body::Domain(from), Body::Domain(to)) = (&change.from.body, &change.to.body) else { return None };
    let known = casts::known::exists(&from.base, &to.base, &Schema::default());
    known.then(|| Sql::new(format!("({}::{}::{})", quote(&column.name), from.base, to.base)))
}

/// Whether what new rows get is a literal of the type, or nothing.
fn has_plain_value(column: &Column) -> bool {
    match &column.value {
        ColumnValue::Plain => true,
        ColumnValue::Default(value) => {
            let literal = value.as_str().strip_suffix(&format!("::{}", column.data_type));
            let inner = literal.and_then(|text| text.strip_prefix('\'')?.strip_suffix('\''));
            inner.is_some_and(|text| !text.replace("''", "").contains('\''))
        }
        _ => false,
    }
}

/// Whether a check, an exclusion or an index speaks of the type or of a column of it.
fn is_spoken_of(at: &Address, users: &[(Qualified, &Column)], schema: &Schema) -> bool {
    let speaks = |table: &Qualified, text: &Sql| {
        text.mentions(at.name()) || users.iter().any(|(of, column)| of == table && text.mentions(&column.name))
    };
    let constraints = schema.tables().any(|(table, content)| {
        content.constraints.values().any(|c| match &c.rule {
            Rule::Check { expression: text } | Rule::Exclude { definition: text } => speaks(&table, text),
            _ => false,
        })
    });
    let indexes = schema.objects.values().any(|object| match &object.body {
        Body::Index(index) => object.texts().iter().any(|text| speaks(&index.table, text)),
        _ => false,
    });
    constraints || indexes
}

/// Whether something that is not made again in the same plan needs the type.
fn is_held(at: &Address, context: &Context<'_>) -> bool {
    use ObjectKind::{Aggregate, Column, Function, MaterializedView, Procedure, Trigger, View};
    let again = [Column, View, MaterializedView, Function, Procedure, Aggregate, Trigger];
    context.snapshot.depends.iter().any(|(by, needs)| needs.contains(at) && !again.contains(&by.kind()))
}
