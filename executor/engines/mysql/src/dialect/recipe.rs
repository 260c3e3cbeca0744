//! How the changes of one object are made, step by step.

mod fill;
mod numbers;
mod relieved;
mod reshape;
mod shadow;
mod tied;

use std::collections::BTreeMap;

use mig_plan::{
    Address, Body, Complaint, Context, Draft, Group, Kind, Object, ObjectKind, Phase, Rule, Schema, Table,
    kind::{AddConstraint, Create, Drop, DropConstraint, Replace},
    schema::IndexedBy,
};

use super::{guards, object, refs};
use crate::flavor::Flavor;

/// The drafts of a group, in an order that must be kept.
pub(crate) fn recipe(flavor: &Flavor, group: &Group, context: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
    if let Some(column) = group.fill.as_ref().and_then(|fill| fill.back.keys().next()) {
        let at = mig_plan::Address::column(&group.at.qualified(), column);
        let says = format!("mig does not keep {column} in step with new columns on MySQL and MariaDB");
        let help = Some("leave `back` out; the values are then copied once".to_owned());
        return Err(Complaint { at, says, help });
    }
    let mut drafts = Vec::new();
    for change in &group.changes {
        match change {
            Kind::Create(k) => drafts.extend(created(flavor, k, context)),
            Kind::Drop(k) => drafts.extend(dropped(flavor, k, context)),
            Kind::Replace(k) => drafts.extend(replaced(flavor, k, context)),
            Kind::Rename(_) => {
                drafts.push(Draft::new(change.clone(), Phase::Switch, format!("renames {}", change.address())))
            }
            Kind::Mark(_)
            | Kind::Rows(_)
            | Kind::Withdraw(_)
            | Kind::Populate(_)
            | Kind::Filling(_)
            | Kind::Revise(_) => drafts.extend(Draft::of_rows(change)),
            Kind::RenameMember(k) if k.from.kind() == ObjectKind::Column => {
                drafts.push(Draft::new(change.clone(), Phase::Switch, format!("renames {}", change.address())));
            }
            Kind::Comment(k) if k.at.kind() == ObjectKind::Index => {
                drafts.push(Draft::new(change.clone(), Phase::Contract, "says what it is for"));
            }
            _ => {}
        }
    }
    let of_table = of_table(group);
    unguarded(group, context)?;
    if !of_table.is_empty() || group.fill.is_some() {
        drafts.extend(reshape::reshape(flavor, &of_table, group, context));
    }
    drafts.sort_by_key(|d| d.phase);
    Ok(drafts)
}

/// Refuses to change rows that a trigger guards.
fn unguarded(group: &Group, context: &Context<'_>) -> Result<(), Complaint> {
    let Some(fill) = group.fill.as_ref().filter(|fill| !fill.set.is_empty()) else { return Ok(()) };
    let table = group.at.qualified();
    let Some(guard) = guards::of(&table, context.renamed) else { return Ok(()) };
    let columns = fill.set.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Complaint {
        at: group.at.clone(),
        says: format!("the trigger {guard} refuses every change of a row of {table}, so {columns} cannot be given values"),
        help: Some(
            "no session of the server goes past a trigger: take it away in a plan before this one, and bring it back after it"
                .to_owned(),
        ),
    })
}

/// The changes of a group that are made together, as changes of one table.
fn of_table(group: &Group) -> Vec<Kind> {
    let apart = |change: &&Kind| match change {
        Kind::Create(_) | Kind::Drop(_) | Kind::Replace(_) | Kind::Rename(_) => true,
        Kind::Mark(_) | Kind::Rows(_) | Kind::Withdraw(_) => true,
        Kind::Populate(_) | Kind::Filling(_) | Kind::Revise(_) => true,
        Kind::RenameMember(k) => k.from.kind() == ObjectKind::Column,
        Kind::Comment(k) => k.at.kind() == ObjectKind::Index,
        _ => false,
    };
    group.changes.iter().filter(|change| !apart(change)).cloned().collect()
}

/// Whether a table is made by the plan.
fn is_new(table: &mig_plan::Qualified, context: &Context<'_>) -> bool {
    context.renamed.table(table).is_none()
}

fn created(flavor: &Flavor, k: &Create, context: &Context<'_>) -> Vec<Draft> {
    let why = format!("makes {}", k.at);
    match &k.object.body {
        Body::Table(table) => new_table(flavor, k, table, context),
        // It comes with its table.
        Body::Index(index) if is_new(&index.table, context) => vec![],
        // It comes when the column that it numbers does.
        Body::Index(index) if numbers::brings(&k.at, index, context) && reshape::is_changed(&index.table, context) => {
            vec![]
        }
        // It comes before the primary key goes.
        Body::Index(index)
            if relieved::relieves_primary(index, context) && reshape::is_changed(&index.table, context) =>
        {
            vec![]
        }
        // It comes with the table that takes the place of its own.
        Body::Index(index)
            if shadow::brings(flavor, &k.at, index, context) || shadow::exchanges(flavor, &k.at, index, context) =>
        {
            vec![]
        }
        Body::Index(index) => {
            let early = !index.unique || numbers::brings(&k.at, index, context);
            let phase = if early { Phase::Expand } else { Phase::Contract };
            vec![Draft::new(k.clone(), phase, why)]
        }
        Body::Source(_) if matches!(k.at.kind(), ObjectKind::Trigger | ObjectKind::Event) => {
            vec![Draft::new(k.clone(), Phase::Switch, why)]
        }
        _ => vec![Draft::new(k.clone(), Phase::Expand, why)],
    }
}

/// The indexes of a table.
fn indexes(table: &mig_plan::Qualified, schema: &Schema) -> BTreeMap<Address, std::sync::Arc<mig_plan::Object>> {
    let own = schema.indexes_of(table).map(|(at, _)| at.clone());
    own.filter_map(|at| schema.objects.get(&at).map(|object| (at.clone(), object.clone()))).collect()
}

/// A table comes with its indexes. Foreign keys follow when all tables are there.
fn new_table(flavor: &Flavor, k: &Create, table: &Table, context: &Context<'_>) -> Vec<Draft> {
    let at = k.at.qualified();
    let mut bare = table.clone();
    let keys: Vec<_> = table.constraints.iter().filter(|(_, c)| matches!(c.rule, Rule::ForeignKey(_))).collect();
    bare.constraints.retain(|_, c| !matches!(c.rule, Rule::ForeignKey(_)));
    let object = Object { comment: k.object.comment.clone(), grants: Default::default(), body: Body::Table(bare) };
    let create = Create { with: indexes(&at, context.goal), ..Create::new(k.at.clone(), object) };
    let mut drafts = vec![Draft::new(create, Phase::Expand, format!("makes {}", k.at))];
    for (name, constraint) in keys {
        let leads_to_new =
            constraint.foreign_key().is_some_and(|fk| tied::after(flavor, &fk.references, context).is_some());
        let phase = if leads_to_new { Phase::Contract } else { Phase::Switch };
        let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
        let add = AddConstraint { table, name, constraint };
        drafts.push(Draft::new(add, phase, "ties the new table to others"));
    }
    drafts
}

/// A table goes without its foreign keys: their names are free again, and what it referred to can go. Its indexes go with it.
fn dropped(flavor: &Flavor, k: &Drop, context: &Context<'_>) -> Vec<Draft> {
    let why = format!("removes {}", k.at);
    let table = match &k.object.body {
        Body::Table(table) => table,
        Body::Index(index) if context.goal.table(&index.table).is_none() => return vec![],
        // It stays with the table whose place another takes.
        Body::Index(index) if shadow::exchanges(flavor, &k.at, index, context) => return vec![],
        // It goes when the primary key has come.
        Body::Index(index)
            if relieved::is_relieved(k, &index.table, context) && reshape::is_changed(&index.table, context) =>
        {
            return vec![];
        }
        Body::Index(index) => {
            let early = reshaped(index, context) && !shadow::goes(flavor, &index.table, context);
            let phase = if early { Phase::Switch } else { Phase::Contract };
            return vec![Draft::new(k.clone(), phase, why)];
        }
        _ => {
            let early = k.at.kind() == ObjectKind::Trigger || says_what_goes(&k.at, &k.object, context);
            let phase = if early { Phase::Switch } else { Phase::Contract };
            return vec![Draft::new(k.clone(), phase, why)];
        }
    };
    let at = k.at.qualified();
    let mut bare = table.clone();
    let mut drafts = Vec::new();
    for (name, constraint) in table.constraints.iter().filter(|(_, c)| matches!(c.rule, Rule::ForeignKey(_))) {
        bare.constraints.remove(name);
        let drop = DropConstraint { table: at.clone(), name: name.clone(), constraint: constraint.clone() };
        drafts.push(Draft::new(drop, Phase::Expand, format!("unties {} from other tables, as it is to go", k.at)));
    }
    let object = Object { comment: k.object.comment.clone(), grants: Default::default(), body: Body::Table(bare) };
    let with = indexes(&at, context.renamed);
    drafts.push(Draft::new(Drop { at: k.at.clone(), object: object.into(), with }, Phase::Contract, why));
    drafts
}

/// Whether a column of an index gets another form: the index is gone before, as its parts would change with it.
fn reshaped(index: &mig_plan::schema::Index, context: &Context<'_>) -> bool {
    let column = |schema: &Schema, name: &mig_plan::Name| schema.table(&index.table)?.column(name).cloned();
    index.parts.iter().any(|part| match &part.what {
        IndexedBy::Column(name) => column(context.renamed, name) != column(context.goal, name),
        IndexedBy::Expression(_) => false,
    })
}

fn replaced(flavor: &Flavor, k: &Replace, context: &Context<'_>) -> Vec<Draft> {
    let phase = if k.at.kind() == ObjectKind::Index { Phase::Contract } else { Phase::Switch };
    let why = format!("exchanges {}", k.at);
    // What is indexed may be a column of the same name that the plan brings only now: then one statement cannot do it.
    let same_columns = match (&k.from.body, &k.to.body) {
        (Body::Index(from), Body::Index(to)) => {
            let columns = |index: &mig_plan::schema::Index| -> Vec<_> {
                let named = index.parts.iter().filter_map(|p| match &p.what {
                    IndexedBy::Column(name) => Some(name.clone()),
                    IndexedBy::Expression(_) => None,
                });
                named.collect()
            };
            columns(to).iter().all(|c| columns(from).contains(c))
                && columns(from).iter().all(|c| columns(to).contains(c))
        }
        _ => true,
    };
    if same_columns && !names_what_goes(k, context) && object::replace(flavor, &k.at, &k.from, &k.to).is_some() {
        return vec![Draft::new(k.clone(), phase, why)];
    }
    vec![
        Draft::new(Drop::new(k.at.clone(), k.from.clone()), phase, why.clone()),
        Draft::new(Create::new(k.at.clone(), k.to.clone()), phase, why),
    ]
}

/// Whether what a view was says a name that another view no longer has, as that is exchanged too: for the way back it has to be gone
/// before, and to come only after.
fn names_what_goes(k: &Replace, context: &Context<'_>) -> bool {
    says_what_goes(&k.at, &k.from, context)
}

fn says_what_goes(at: &Address, object: &Object, context: &Context<'_>) -> bool {
    if at.kind() != ObjectKind::View {
        return false;
    }
    let words = refs::words(object);
    let view =
        |other: &Address| other.kind() == ObjectKind::View && other != at && words.contains(other.name().as_str());
    let mut below = context.groups.iter().flat_map(|group| &group.changes).filter_map(|change| match change {
        Kind::Replace(k) if view(&k.at) => Some((&k.from, &k.to)),
        _ => None,
    });
    below.any(|(from, to)| refs::words(from).difference(&refs::words(to)).any(|word| words.contains(word)))
}

/// How declared renames are made. What says an old name goes before them, and comes only after.
pub(crate) fn renames(flavor: &Flavor, changes: &[Kind], context: &Context<'_>) -> Result<Vec<Draft>, Vec<Complaint>> {
    let mut drafts = Vec::new();
    for change in changes {
        if let Kind::Drop(k) = change {
            let why = format!("takes {} away while names that it says become others", k.at);
            drafts.push(Draft::new(k.clone(), Phase::Switch, why));
            continue;
        }
        let group = Group { at: change.address(), changes: vec![change.clone()], fill: None };
        drafts.extend(recipe(flavor, &group, context).map_err(|complaint| vec![complaint])?);
    }
    Ok(drafts)
}
