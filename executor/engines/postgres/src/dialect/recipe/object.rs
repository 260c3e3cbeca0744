//! How whole objects are made, dropped and exchanged.

use std::sync::Arc;

use mig_plan::{
    Address, Body, ColumnValue, Complaint, Context, Draft, HazardCode, Kind, Name, Object, ObjectKind, Phase, Rule,
    Sql,
    kind::{AddConstraint, AlterColumn, Comment, Create, Drop, DropConstraint, Rename, Replace},
    schema::Index,
};

use super::{movers, warned};
use crate::dialect::{
    casts, disturbs,
    names::{generated, qualified, quote},
    operators,
    render::{enums, index},
};

/// The drafts of a new object.
pub(crate) fn create(change: &Create, context: &Context<'_>) -> Vec<Draft> {
    let why = format!("makes {}", change.at);
    match &change.object.body {
        Body::Table(_) => return table(change, why),
        Body::Sequence(sequence) => {
            let owner_is_there = sequence.owned_by.as_ref().is_none_or(|at| context.renamed.contains(at));
            if !owner_is_there {
                return owned_sequence(change, why);
            }
        }
        Body::Index(index) => {
            let there = context.renamed.contains(&mig_plan::Address::table(&index.table));
            let phase = if there && index.unique { Phase::Contract } else { Phase::Expand };
            if !there {
                return vec![Draft::new(change.clone(), phase, why)];
            }
            return built(change, index, phase, why);
        }
        _ => {}
    }
    let on_old = change.at.relation().is_some_and(|of| {
        [ObjectKind::Table, ObjectKind::View]
            .iter()
            .any(|kind| context.renamed.contains(&mig_plan::Address::new(*kind, &of)))
    });
    // A trigger is about the columns as they shall be, which have other types until then.
    let settles = |of: mig_plan::Qualified| movers::Movers::of(context).settles(&of);
    let late = change.at.kind() == ObjectKind::Trigger && change.at.relation().is_some_and(settles);
    let phase = match (on_old, late) {
        (_, true) => Phase::Contract,
        (true, false) => Phase::Switch,
        (false, false) => Phase::Expand,
    };
    vec![Draft::new(change.clone(), phase, why)]
}

/// An index of a table that is there, and the comment on it apart: building it beside running clients takes no second statement.
fn built(change: &Create, index: &Index, phase: Phase, why: String) -> Vec<Draft> {
    let bare = Object { comment: None, ..Object::clone(&change.object) };
    let build = Draft::new(Create::new(change.at.clone(), bare), phase, why);
    let build =
        warned(build, HazardCode::BuildsIndex, "reads the whole table and writes an index; takes time and space");
    let tightens = "running clients that write duplicates get errors";
    let build = if index.unique { warned(build, HazardCode::TightensRule, tightens) } else { build };
    let said = change.object.comment.iter().map(|_| {
        let comment = Comment { at: change.at.clone(), from: None, to: change.object.comment.clone() };
        Draft::new(comment, phase, "says what it is for")
    });
    [build].into_iter().chain(said).collect()
}

/// An index under another definition: built under a name of mig's own, then the old one leaves and the new one takes its name.
fn exchanged(change: &Replace, to: &Index, why: String) -> Vec<Draft> {
    let passing =
        Address::index(&change.at.qualified().sibling(generated("_mig_ix_", change, change.at.name().as_str())));
    let phase = if to.unique { Phase::Contract } else { Phase::Expand };
    let bare = Object { comment: None, ..Object::clone(&change.to) };
    let mut drafts = built(&Create::new(passing.clone(), bare), to, phase, format!("{why}: builds the new one"));
    let leaves = Drop::new(change.at.clone(), change.from.clone());
    drafts.push(Draft::new(leaves, Phase::Contract, format!("removes the old {}", change.at)));
    let rename = Rename::new(passing, change.at.clone());
    drafts.push(Draft::new(rename, Phase::Contract, format!("the new index becomes {}", change.at)));
    if let Some(text) = &change.to.comment {
        let comment = Comment { at: change.at.clone(), from: None, to: Some(text.clone()) };
        drafts.push(Draft::new(comment, Phase::Contract, "says what it is for"));
    }
    drafts
}

/// A table without its foreign keys, and each of those on its own, so that circles can be made.
fn table(change: &Create, why: String) -> Vec<Draft> {
    let mut object = change.object.clone();
    let mut keys = Vec::new();
    if let Body::Table(table) = &mut Arc::make_mut(&mut object).body {
        // CREATE TABLE takes no NOT VALID.
        let apart = |c: &mig_plan::Constraint| c.foreign_key().is_some() || !c.validity.is_valid();
        let names: Vec<_> = table.constraints.iter().filter(|(_, c)| apart(c)).map(|(name, _)| name.clone()).collect();
        for name in names {
            if let Some(constraint) = table.constraints.remove(&name) {
                let add = AddConstraint { table: change.at.qualified(), name: name.clone(), constraint };
                keys.push(Draft::new(add, Phase::Expand, format!("adds {name}")));
            }
        }
    }
    let first = Draft::new(Create::new(change.at.clone(), object), Phase::Expand, why);
    [first].into_iter().chain(keys).collect()
}

/// A sequence that a column will own and also needs for its default: made first, given to the column later.
fn owned_sequence(change: &Create, why: String) -> Vec<Draft> {
    let free = unowned(&change.object);
    let own = Replace { at: change.at.clone(), from: free.clone().into(), to: change.object.clone() };
    let first = Create::new(change.at.clone(), free);
    vec![
        Draft::new(first, Phase::Expand, why),
        Draft::new(own, Phase::Expand, format!("gives {} to its column", change.at)),
    ]
}

/// What goes in the same plan, and must not be held back by what is kept.
struct Gone<'a> {
    functions: Vec<&'a Name>,
    /// As expressions call them.
    operators: Vec<String>,
    extensions: bool,
    /// Types that are made anew under their columns, as columns say them.
    anew: Vec<String>,
}

impl<'a> Gone<'a> {
    fn of(context: &Context<'a>) -> Self {
        let goes = |at: &&Address| !context.goal.objects.contains_key(*at);
        let gone = context.renamed.objects.keys().filter(goes);
        let (mut functions, mut extensions) = (Vec::new(), false);
        for at in gone {
            match at.kind() {
                ObjectKind::Function => functions.push(at.name()),
                ObjectKind::Extension => extensions = true,
                _ => {}
            }
        }
        let changes = || context.groups.iter().flat_map(|g| &g.changes);
        // One that comes again goes first.
        let dropped = changes().filter(|c| matches!(c, Kind::Drop(_))).map(Kind::address);
        let operators = dropped.filter_map(|at| operators::call(&at)).collect();
        let anew = changes().filter(|c| is_type_anew(c)).map(|c| qualified(&c.address().qualified())).collect();
        Self { functions, operators, extensions, anew }
    }

    /// Whether a type is made anew: what is kept of it would hold the old one.
    fn makes_anew(&self, data_type: &str, context: &Context<'_>) -> bool {
        let one = data_type.strip_suffix("[]").unwrap_or(data_type);
        let rests_on = |base: &str| self.anew.iter().any(|of| of == base);
        rests_on(one)
            || context.renamed.objects.iter().any(|(at, object)| match &object.body {
                Body::Domain(domain) => qualified(&at.qualified()) == one && rests_on(&domain.base),
                _ => false,
            })
    }

    fn is_called_in(&self, text: &Sql) -> bool {
        self.functions.iter().any(|name| text.mentions(name))
            || self.operators.iter().any(|call| text.as_str().contains(call))
    }

    fn is_checked_by(&self, constraint: &mig_plan::Constraint) -> bool {
        match &constraint.rule {
            Rule::Check { expression: text } | Rule::Exclude { definition: text } => self.is_called_in(text),
            _ => false,
        }
    }

    /// Whether a type may be of an extension that goes: nobody else declares it.
    fn brings(&self, data_type: &str, context: &Context<'_>) -> bool {
        let one = data_type.strip_suffix("[]").unwrap_or(data_type);
        self.extensions && one.contains('.') && casts::known::user_type(one, context.renamed).is_none()
    }
}

fn is_type_anew(change: &Kind) -> bool {
    use ObjectKind::{Domain, Enum, Type};
    matches!(change, Kind::Replace(k) if matches!(k.at.kind(), Domain | Enum | Type))
        && !disturbs::of(change, 0).is_empty()
}

fn unowned(object: &Object) -> Object {
    let mut object = object.clone();
    if let Body::Sequence(sequence) = &mut object.body {
        sequence.owned_by = None;
    }
    object
}

/// The drafts of a dropped object.
pub(crate) fn drop(change: &Drop, context: &Context<'_>) -> Vec<Draft> {
    let why = format!("removes {}", change.at);
    let mut object = change.object.clone();
    let mut drafts = Vec::new();
    match &mut Arc::make_mut(&mut object).body {
        Body::Table(table) => {
            let gone = Gone::of(context);
            let is_key = |c: &mig_plan::Constraint| c.foreign_key().is_some() || gone.is_checked_by(c);
            let names: Vec<_> =
                table.constraints.iter().filter(|(_, c)| is_key(c)).map(|(name, _)| name.clone()).collect();
            for name in names {
                if let Some(constraint) = table.constraints.remove(&name) {
                    let key = DropConstraint { table: change.at.qualified(), name: name.clone(), constraint };
                    let draft =
                        Draft::new(key, Phase::Contract, format!("removes {name}, so that its table can leave"));
                    drafts.push(warned(draft, HazardCode::DropsConstraint, "the table that has it is dropped next"));
                }
            }
            for column in &mut table.columns {
                let goes = gone.brings(&column.data_type, context);
                if !goes && !gone.makes_anew(&column.data_type, context) {
                    continue;
                }
                let from = column.clone();
                "text".clone_into(&mut column.data_type);
                column.value = ColumnValue::Plain;
                let plain = AlterColumn { table: change.at.qualified(), from, to: column.clone(), using: None };
                let because = if goes { "goes with its extension" } else { "is made anew" };
                let why = format!("{} is kept as text: its type {because}", column.name);
                drafts.push(Draft::new(plain, Phase::Contract, why));
            }
        }
        Body::Domain(domain) => {
            let gone = Gone::of(context);
            let checks = domain.checks.len();
            domain.checks.retain(|_, text| !gone.is_called_in(text));
            if domain.checks.len() < checks {
                let bare = Replace { at: change.at.clone(), from: change.object.clone(), to: object.clone() };
                drafts.push(Draft::new(bare, Phase::Contract, "its checks go with the functions that they call"));
            }
        }
        Body::Index(index) if index.options.contains_key("replica_identity") => {
            index.options.remove("replica_identity");
            let free = Replace { at: change.at.clone(), from: change.object.clone(), to: object.clone() };
            drafts.push(Draft::new(free, Phase::Backfill, "takes it from its table, so that it can leave"));
        }
        Body::Sequence(sequence) if sequence.owned_by.is_some() => {
            let free = unowned(&change.object);
            let take = Replace { at: change.at.clone(), from: object.clone(), to: free.clone().into() };
            drafts.push(Draft::new(take, Phase::Contract, "takes it from its column, so that it leaves on its own"));
            object = free.into();
        }
        _ => {}
    }
    drafts.push(Draft::new(Drop::new(change.at.clone(), object), Phase::Contract, why));
    drafts
}

/// Refuses to take an extension to another schema under what is made of it: all that would say another name at once.
///
/// # Errors
/// Names what is made of it.
pub(crate) fn has_no_users_to_move(change: &Replace, context: &Context<'_>) -> Result<(), Complaint> {
    let (Body::Extension(from), Body::Extension(to)) = (&change.from.body, &change.to.body) else { return Ok(()) };
    let mut users = context
        .snapshot
        .depends
        .iter()
        .filter(|(by, needs)| needs.contains(&change.at) && context.goal.objects.contains_key(&by.holder()));
    let Some(((by, _), schema)) = users.next().zip(to.schema.as_ref().filter(|_| from.schema != to.schema)) else {
        return Ok(());
    };
    let sql = format!("ALTER EXTENSION {} SET SCHEMA {}", quote(change.at.name()), quote(schema));
    Err(Complaint {
        at: change.at.clone(),
        says: format!("mig cannot move {} to another schema while {by} is made of it", change.at),
        help: Some(format!("move it by hand, which takes all along that is made of it: {sql}; then plan again")),
    })
}

/// The drafts of an object under another definition.
pub(crate) fn replace(change: &Replace) -> Vec<Draft> {
    let why = format!("changes {}", change.at);
    match (&change.from.body, &change.to.body) {
        (Body::Enum { values: from }, Body::Enum { values: to }) => match enums::added(from, to) {
            Some(added) if added.len() > 1 => one_by_one(change, from, to),
            Some(_) => vec![Draft::new(change.clone(), Phase::Expand, why)],
            None => vec![Draft::new(change.clone(), Phase::Contract, why)],
        },
        (Body::Index(from), Body::Index(to)) if index::same_but_flags(from, to) => {
            // It lets go before the table takes another, and comes when the table has let go.
            let comes = to.options.len() > from.options.len();
            vec![Draft::new(change.clone(), if comes { Phase::Contract } else { Phase::Backfill }, why)]
        }
        (Body::Index(_), Body::Index(to)) => exchanged(change, to, why),
        (Body::Table(_) | Body::Sequence(_) | Body::Extension(_), _) => {
            vec![Draft::new(change.clone(), Phase::Expand, why)]
        }
        (Body::Domain(_), _) => vec![Draft::new(change.clone(), Phase::Contract, why)],
        _ => vec![Draft::new(change.clone(), Phase::Switch, why)],
    }
}

/// One change for each value that is added to an enum.
fn one_by_one(change: &Replace, from: &[String], to: &[String]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut now = change.from.clone();
    let mut there: Vec<String> = from.to_vec();
    for value in to.iter().filter(|v| !from.contains(v)) {
        there.push(value.clone());
        let values = to.iter().filter(|v| there.contains(v)).cloned().collect();
        let last = there.len() == to.len();
        let comment = if last { change.to.comment.clone() } else { now.comment.clone() };
        let next = Object { comment, grants: now.grants.clone(), body: Body::Enum { values } };
        let step = Replace { at: change.at.clone(), from: now, to: next.clone().into() };
        drafts.push(Draft::new(step, Phase::Expand, format!("adds the value `{value}`")));
        now = next.into();
    }
    drafts
}
