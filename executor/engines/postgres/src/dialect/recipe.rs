//! How the changes of one object are made, step by step.

pub(crate) mod column;
mod computed;
pub(crate) mod constraint;
pub(crate) mod fill;
pub(crate) mod layer;
pub(crate) mod leave;
pub(crate) mod movers;
mod numbered;
pub(crate) mod object;
mod retrace;
pub(crate) mod serve;
pub(crate) mod settle;
pub(crate) mod supplant;
mod tie;
pub(crate) mod twins;
mod typed;

use std::{collections::BTreeMap, sync::Arc};

use super::{grants, inherit};
use mig_plan::{
    Address, Body, Column, Complaint, Context, Draft, Group, Hazard, HazardCode, Kind, Phase,
    kind::{AlterColumn, Comment, Regroup},
};

/// The drafts of a group, in an order that must be kept.
pub(crate) fn recipe(group: &Group, context: &Context<'_>, version: u32) -> Result<Vec<Draft>, Complaint> {
    let group = &computed::before_sources(fill::with_guarded_casts(group, context)?);
    let mut drafts = Vec::new();
    let mut moving = Vec::new();
    let tied = tie::of(group, context)?;
    let movers = movers::Movers::of(context);
    let carried = |table: &mig_plan::Qualified, name: &mig_plan::Name| {
        let constraint = context.renamed.table(table).and_then(|t| t.constraints.get(name));
        constraint.is_some_and(|c| movers.carry(table, c))
    };
    for change in &group.changes {
        match change {
            // The move of their columns takes them along.
            Kind::AddConstraint(k) if carried(&k.table, &k.name) => {}
            Kind::DropConstraint(k) if carried(&k.table, &k.name) => {}
            Kind::Create(k) => drafts.extend(object::create(k, context)),
            Kind::Drop(k) => drafts.extend(object::drop(k, context)),
            Kind::Replace(k) => match supplant::drafts(k, context) {
                Some(made) => drafts.extend(made),
                None => {
                    object::has_no_users_to_move(k, context)?;
                    drafts.extend(typed::around(k, context, object::replace(k)));
                }
            },
            Kind::Rename(_) | Kind::RenameMember(_) => {
                drafts.push(layer::alone(change));
            }
            Kind::RenameValue(_) => {
                drafts.push(Draft::new(
                    change.clone(),
                    Phase::Switch,
                    format!("renames a value of {}", change.address()),
                ));
            }
            // A table has its form before it is one of a type.
            Kind::AlterTable(k) if typed::joins(k) => {}
            Kind::AlterTable(_) => {
                drafts.push(Draft::new(change.clone(), Phase::Switch, "changes the settings of the table"));
            }
            Kind::AddColumn(k) => drafts.extend(column::add(k, group, context)),
            Kind::AlterColumn(k) => drafts.extend(column::alter(k, group, context, version, &mut moving)),
            Kind::DropColumn(k) => drafts.extend(leave::drop(k, group, context, tied.as_ref())),
            Kind::AddConstraint(k) => drafts.extend(constraint::add(k, group, context)),
            Kind::DropConstraint(k) => drafts.push(constraint::drop(k, group)),
            Kind::ValidateConstraint(_) => {
                drafts.push(Draft::new(change.clone(), Phase::Contract, "proves it for existing rows"));
            }
            // Once all else is known.
            Kind::Comment(_) => {}
            Kind::Privileges(k) => {
                let replaces = drafts.iter().filter(|d| matches!(d.change, Kind::Replace(_) | Kind::AdoptType(_)));
                let (first, last) = grants::drafts(k, replaces.map(|d| d.phase).max());
                if let Some(Kind::Privileges(taken)) = first.as_ref().map(|d| &d.change) {
                    for draft in &mut drafts {
                        let forms = match &mut draft.change {
                            Kind::Replace(k) => [Some(&mut k.from), Some(&mut k.to)],
                            Kind::AdoptType(k) => [Some(&mut k.from), Some(&mut k.to)],
                            Kind::Create(k) => [Some(&mut k.object), None],
                            _ => [None, None],
                        };
                        for form in forms.into_iter().flatten() {
                            Arc::make_mut(form).grants.clone_from(&taken.to);
                        }
                    }
                }
                drafts.splice(0..0, first);
                drafts.extend(last);
            }
            Kind::Backfill(_) => {
                drafts.push(Draft::new(change.clone(), Phase::Backfill, "gives existing rows their values"))
            }
            Kind::Mark(_)
            | Kind::Rows(_)
            | Kind::Withdraw(_)
            | Kind::Populate(_)
            | Kind::Filling(_)
            | Kind::Revise(_) => drafts.extend(Draft::of_rows(change)),
            Kind::Release(_)
            | Kind::OnReturn(_)
            | Kind::BuildKey(_)
            | Kind::AdoptKey(_)
            | Kind::AdoptType(_)
            | Kind::Discard(_)
            | Kind::Sync(_)
            | Kind::Exchange(_)
            | Kind::Unsync(_)
            | Kind::Settle(_)
            | Kind::Unsettle(_)
            | Kind::Serve(_)
            | Kind::Keep(_)
            | Kind::KeepRows(_)
            | Kind::Leave(_)
            | Kind::Rejoin(_)
            | Kind::Unkeep(_)
            | Kind::Tie(_)
            | Kind::Untie(_)
            | Kind::CopyRows(_)
            | Kind::Swap(_)
            | Kind::Finish(_) => return Err(unasked(change)),
            Kind::Regroup(k) => {
                let leaves = leaves(k);
                let phase = if leaves { Phase::Switch } else { Phase::Contract };
                let why = if leaves { "takes it from its parents" } else { "gives it its place and its rows theirs" };
                drafts.push(Draft::new(change.clone(), phase, why));
            }
            Kind::Rebuild(k) => {
                let says = "PostgreSQL alters tables in place; it has no rebuild".to_owned();
                return Err(Complaint { at: mig_plan::Address::table(&k.table), says, help: None });
            }
        }
    }
    drafts.extend(tied.as_ref().map(tie::draft));
    drafts.extend(group.changes.iter().filter_map(typed::joining));
    for change in &group.changes {
        if let Kind::Comment(k) = change {
            drafts.push(comment(k, group, &drafts, &moving));
        }
    }
    let backfills = match &tied {
        Some(tied) => tie::backfills(tied, group, context),
        None => fill::backfills(group, context),
    };
    if let Some(moves) = twins::Move::new(&group.at.qualified(), group, context, moving) {
        drafts.splice(0..0, moves.drafts());
    }
    drafts.extend(backfills);
    fill::one_pass(&mut drafts);
    constraint::swap_keys(&mut drafts, group, context);
    if drafts.first().is_some_and(|d| matches!(&d.change, Kind::Regroup(k) if leaves(k))) {
        // What a table becomes on its own comes after it has left its parents.
        drafts.iter_mut().for_each(|d| d.phase = d.phase.max(Phase::Switch));
    }
    computed::after_sources(&mut drafts, group);
    // Each recipe above is in phase order; the sort is stable, so the order within a phase stays.
    // What ends a move comes last of all: nothing waits for it, and what stands on several changed columns can go and come once.
    drafts.sort_by_key(|d| (d.phase, matches!(d.change, Kind::Unsync(_))));
    column::late_first(&mut drafts);
    column::drops_last(&mut drafts);
    column::loosen_last(&mut drafts, group);
    computed::as_one(&mut drafts, group);
    computed::let_go(&mut drafts, version);
    retrace::ahead(&mut drafts, context);
    Ok(drafts)
}

/// A comment comes when what it is about has its form: what is replaced or altered has the old one until then.
fn comment(change: &Comment, group: &Group, drafts: &[Draft], moving: &[(Column, &AlterColumn)]) -> Draft {
    let built_beside = |c: &Kind| matches!(c, Kind::Replace(k) if matches!(k.to.body, Body::Index(_)));
    let moves = moving.iter().any(|(now, k)| Address::column(&k.table, &now.name) == change.at);
    let forms = drafts.iter().filter(|draft| match &draft.change {
        Kind::Replace(_) | Kind::AdoptType(_) => true,
        Kind::AlterColumn(k) => Address::column(&k.table, &k.from.name) == change.at,
        _ => false,
    });
    let formed = forms.map(|draft| draft.phase).max().unwrap_or(Phase::Expand);
    let phase = if moves || group.changes.iter().any(built_beside) { Phase::Contract } else { formed };
    Draft::new(change.clone(), phase, "says what it is for")
}

/// What recipes make is no change that a comparison finds.
pub(crate) fn unasked(change: &Kind) -> Complaint {
    let says = format!("{} is a part of another change", change.slug());
    Complaint { at: change.address(), says, help: None }
}

/// Whether a table is taken from its parents.
fn leaves(k: &Regroup) -> bool {
    let own = Address::table(&k.table);
    let has = |set: &BTreeMap<Address, Arc<mig_plan::Object>>| match set.get(&own).map(|o| &o.body) {
        Some(Body::Table(table)) => !inherit::parents(table).is_empty(),
        _ => false,
    };
    has(&k.from) && !has(&k.to)
}

/// A draft whose class comes from a hazard that only the recipe knows.
pub(crate) fn warned(draft: Draft, code: HazardCode, says: &str) -> Draft {
    let at = draft.change.address();
    draft.with(Hazard::new(code, &at, says))
}
