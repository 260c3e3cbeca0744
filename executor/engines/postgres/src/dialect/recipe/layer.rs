//! Renames, and the views that serve a renamed table under its old name until `contract`.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Complaint, Context, Draft, Hazard, HazardCode, Kind, Name, Object, ObjectKind, Phase, Qualified,
    Sql,
    kind::{Create, Drop, Rename},
    schema::View,
};

use super::serve::Served;
use crate::dialect::names::{qualified, quote};

/// The drafts of declared renames: each renamed table with its columns in one transaction with the view that serves its old name.
pub(crate) fn renames(changes: &[Kind], context: &Context<'_>, version: u32) -> Result<Vec<Draft>, Vec<Complaint>> {
    let mut drafts = Vec::new();
    let mut ends = Vec::new();
    let mut taken = BTreeSet::new();
    let mut begun: Vec<Served<'_>> = Vec::new();
    for (nth, change) in changes.iter().enumerate() {
        if taken.contains(&nth) || begun.iter().any(|served| served.has(change)) {
            continue;
        }
        if let Some(served) = columns(change, changes, context) {
            drafts.extend(served.drafts());
            ends.extend(served.ends());
            begun.push(served);
            continue;
        }
        let Some((rename, view)) = served(change, context, version) else {
            drafts.push(alone(change));
            continue;
        };
        let mark = format!("rename {}", rename.to.name());
        let why = format!("renames {}; the old name goes on serving through a view", rename.from);
        drafts.push(Draft::new(change.clone(), Phase::Switch, why).together(&mark));
        for (other, member) in changes.iter().enumerate().skip(nth + 1) {
            let of_table = matches!(member, Kind::RenameMember(k)
                if k.from.kind() == ObjectKind::Column && k.from.relation() == Some(rename.to.qualified()));
            if of_table {
                taken.insert(other);
                let why = format!("renames {}; the view shows it under its old name", member.address());
                drafts.push(Draft::new(member.clone(), Phase::Switch, why).together(&mark));
            }
        }
        let serve = format!("serves clients that use {} until contract", rename.from.qualified());
        let at = view.at.clone();
        drafts.push(Draft::new(view.clone(), Phase::Switch, serve).with(limits(&at)).together(&mark));
        let why = format!("nobody uses {} any more", rename.from.qualified());
        ends.push(Draft::new(Drop::new(at, view.object), Phase::Contract, why));
    }
    drafts.extend(ends);
    // Each of the above is in phase order; the sort is stable, so the order within a phase stays.
    drafts.sort_by_key(|d| d.phase);
    Ok(drafts)
}

/// The renamed columns that are served together with that of a change, if it is one.
fn columns<'a>(change: &Kind, changes: &'a [Kind], context: &Context<'a>) -> Option<Served<'a>> {
    let Kind::RenameMember(k) = change else { return None };
    let served = Served::of(&k.from.relation()?, changes, context)?;
    served.has(change).then_some(served)
}

/// A rename without a layer, with what it does to clients.
pub(crate) fn alone(change: &Kind) -> Draft {
    let draft = Draft::new(change.clone(), Phase::Switch, format!("renames {}", change.address()));
    let at = change.address();
    let breaks = "clients that use the old name get errors from then on";
    let (code, says) = match (change, at.kind()) {
        (Kind::Rename(_), ObjectKind::Index) => {
            (HazardCode::ExplicitNames, "error messages name the index otherwise from then on")
        }
        (Kind::Rename(_), ObjectKind::Statistics | ObjectKind::EventTrigger) => return draft,
        (Kind::Rename(_), _) => (HazardCode::RenameTable, breaks),
        (_, ObjectKind::Column) => (HazardCode::RenameColumn, breaks),
        (_, ObjectKind::Constraint) => {
            (HazardCode::ExplicitNames, "error messages and ON CONFLICT ON CONSTRAINT name it otherwise from then on")
        }
        // No client names a trigger, a policy or a rule to use its table.
        _ => return draft,
    };
    draft.with(Hazard::new(code, &at, says))
}

/// What a view in a table's place cannot do.
fn limits(at: &Address) -> Hazard {
    let says = "a view serves the old name: it reads and writes like the table, but takes no TRUNCATE, no COPY FROM or plain COPY TO, \
                no ON CONFLICT ON CONSTRAINT, no foreign key to it, and no LOCK or ANALYZE";
    Hazard::new(HazardCode::ServedByView, at, says)
}

/// The rename of a table whose old name a view can serve, and that view.
fn served<'a>(change: &'a Kind, context: &Context<'_>, version: u32) -> Option<(&'a Rename, Create)> {
    let Kind::Rename(rename) = change else { return None };
    if rename.from.kind() != ObjectKind::Table {
        return None;
    }
    let (from, to) = (rename.from.qualified(), rename.to.qualified());
    let object = context.snapshot.schema.0.objects.get(&rename.from)?;
    let Body::Table(table) = &object.body else { return None };
    // A view of before 15 reads as its owner, whom row security may not concern.
    if version < crate::dialect::versions::SECURITY_INVOKER && table.options.contains_key("row_security") {
        return None;
    }
    let taken =
        [ObjectKind::Table, ObjectKind::View, ObjectKind::MaterializedView, ObjectKind::Index, ObjectKind::Sequence]
            .iter()
            .any(|kind| context.goal.objects.contains_key(&Address::new(*kind, &from)));
    let namespace = |at: &Qualified| at.schema.as_ref().map(|s| Address::global(ObjectKind::Namespace, s.clone()));
    // A schema that leaves with the plan can hold no view.
    let leaves = namespace(&from).is_some_and(|at| {
        context.snapshot.schema.0.objects.contains_key(&at) && !context.goal.objects.contains_key(&at)
    });
    if taken || leaves || table.columns.is_empty() {
        return None;
    }
    let present = |base: &Name| {
        let renamed = context.columns.iter();
        let renamed = renamed.filter(|(at, was)| at.relation().as_ref() == Some(&to) && *was == base);
        renamed.map(|(at, _)| at.name().clone()).next().unwrap_or_else(|| base.clone())
    };
    let items = table.columns.iter().map(|column| {
        let now = present(&column.name);
        if now == column.name { quote(&now) } else { format!("{} AS {}", quote(&now), quote(&column.name)) }
    });
    let query = Sql::new(format!("SELECT {}\nFROM {}", items.collect::<Vec<_>>().join(", "), qualified(&to)));
    let invoker = (version >= crate::dialect::versions::SECURITY_INVOKER)
        .then(|| ("security_invoker".to_owned(), "true".to_owned()));
    let view = View { query, columns: Vec::new(), options: invoker.into_iter().collect() };
    let view = Object { comment: None, grants: object.grants.clone(), body: Body::View(view) };
    Some((rename, Create::new(Address::new(ObjectKind::View, &from), view)))
}
