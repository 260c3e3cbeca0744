//! How the changes of one object are made: in place where SQLite can, else by one rebuild of the table.

use std::collections::BTreeMap;

use mig_plan::{
    Address, Body, ColumnValue, Complaint, Context, Draft, Fill, Group, Hazard, HazardCode, Kind, Name, ObjectKind,
    Phase, Qualified, Sql, Table,
    kind::{Backfill, CopyColumn, Rebuild},
};

use super::{
    guards, names,
    normalize::complaint,
    render::{rebuild::is_used, tighten::can_be_added},
};

/// The steps of a group.
pub(crate) fn recipe(group: &Group, context: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
    if let Some(column) = group.fill.as_ref().and_then(|fill| fill.back.keys().next()) {
        let at = mig_plan::Address::column(&group.at.qualified(), column);
        let says = format!("mig does not keep {column} in step with new columns on SQLite");
        let help = Some("leave `back` out; the values are then copied once".to_owned());
        return Err(Complaint { at, says, help });
    }
    for change in &group.changes {
        other_case(change, context)?;
    }
    let in_place = |change: &Kind| match change {
        Kind::Create(_) | Kind::Drop(_) | Kind::Rename(_) => true,
        Kind::Populate(_) | Kind::Filling(_) | Kind::Revise(_) => true,
        Kind::Rows(_) | Kind::Withdraw(_) | Kind::Mark(_) => true,
        Kind::RenameMember(rename) => rename.from.kind() != ObjectKind::Constraint,
        _ => group.at.kind() != ObjectKind::Table && group.at.kind() != ObjectKind::Constraint,
    };
    let (whole, parts): (Vec<&Kind>, Vec<&Kind>) = group.changes.iter().partition(|c| in_place(c));
    let mut drafts: Vec<Draft> = whole.into_iter().map(|change| plain(change, context)).collect();
    let parts: Vec<&Kind> = parts
        .into_iter()
        .filter(|c| !matches!(c, Kind::Comment(_) | Kind::Privileges(_) | Kind::ValidateConstraint(_)))
        .collect();
    if !parts.is_empty() || group.fill.is_some() {
        drafts.extend(of_table(group, &parts, context)?);
    }
    Ok(drafts)
}

/// Refuses to make what is there already under a name that SQLite holds to be the same.
fn other_case(change: &Kind, context: &Context<'_>) -> Result<(), Complaint> {
    let (at, twin) = match change {
        Kind::Create(create) => {
            let at = create.at.clone();
            let twin = context.renamed.objects.keys().find(|k| {
                **k != at
                    && k.is_member() == at.is_member()
                    && names::same(k.name(), at.name())
                    && !context.goal.contains(k)
            });
            (at, twin.map(|k| k.name().clone()))
        }
        Kind::AddColumn(add) => {
            let columns = context.renamed.table(&add.table).map(|t| t.columns.as_slice()).unwrap_or_default();
            let twin = columns.iter().find(|c| c.name != add.column.name && names::same(&c.name, &add.column.name));
            (Address::column(&add.table, &add.column.name), twin.map(|c| c.name.clone()))
        }
        _ => return Ok(()),
    };
    match twin.filter(|twin| twin != at.name()) {
        Some(twin) => {
            let says = format!("the database has it as `{twin}`, and to SQLite both names are one");
            Err(complaint(&at, says, Some("write the name in the specs as the database has it")))
        }
        None => Ok(()),
    }
}

/// How declared renames are made. What SQLite could not read after them goes before, and comes again.
pub(crate) fn renames(changes: &[Kind], context: &Context<'_>) -> Result<Vec<Draft>, Vec<Complaint>> {
    let mut drafts = Vec::new();
    for change in changes {
        if let Kind::Drop(gone) = change {
            let why = format!("The {} is away while names that it reads become others.", gone.at);
            drafts.push(Draft::new(change.clone(), Phase::Switch, why));
            continue;
        }
        let group = Group { at: change.address(), changes: vec![change.clone()], fill: None };
        drafts.extend(recipe(&group, context).map_err(|complaint| vec![complaint])?);
    }
    Ok(drafts)
}

/// A change that is a step as it is.
fn plain(change: &Kind, context: &Context<'_>) -> Draft {
    let at = change.address();
    let hazard = |code, says: &str| Hazard::new(code, &at, says);
    let kind = at.kind();
    match change {
        Kind::Create(create) => created(create, context),
        Kind::Drop(_) => {
            let draft = Draft::new(change.clone(), Phase::Contract, format!("Nothing declares the {at} any more."));
            match kind {
                ObjectKind::Index => {
                    draft.with(hazard(HazardCode::DropsIndex, "queries that used it read the whole table"))
                }
                ObjectKind::View => draft.with(hazard(HazardCode::DropsView, "clients that read it fail")),
                ObjectKind::Table => draft,
                _ => draft.with(hazard(HazardCode::DropsObject, "what it did is no longer done")),
            }
        }
        Kind::Replace(_) => {
            let draft = Draft::new(change.clone(), Phase::Switch, format!("The {at} is declared differently."));
            match kind {
                ObjectKind::View => {
                    draft.with(hazard(HazardCode::RecreatesView, "it is dropped and made again in one transaction"))
                }
                ObjectKind::Index => {
                    draft.with(hazard(HazardCode::BuildsIndex, "it is dropped and built again in one transaction"))
                }
                ObjectKind::VirtualTable => {
                    draft.with(hazard(HazardCode::NoUndo, "its content goes with the old definition"))
                }
                _ => draft.with(hazard(HazardCode::ReplacesSource, "it behaves differently from then on")),
            }
        }
        Kind::Rename(rename) => {
            let why = format!("The {} is now called {}.", rename.from, rename.to.name());
            let draft = Draft::new(change.clone(), Phase::Switch, why);
            match kind {
                ObjectKind::Index | ObjectKind::Trigger => {
                    draft.with(hazard(HazardCode::ExplicitNames, "statements that name it fail"))
                }
                _ => draft.with(hazard(HazardCode::RenameTable, "clients that use the old name fail at once")),
            }
        }
        Kind::RenameMember(rename) => {
            let why = format!("The {} is now called {}.", rename.from, rename.to);
            let draft = Draft::new(change.clone(), Phase::Switch, why);
            match kind {
                ObjectKind::Column => {
                    draft.with(hazard(HazardCode::RenameColumn, "clients that use the old name fail at once"))
                }
                _ => draft.with(hazard(HazardCode::ExplicitNames, "statements that name it fail")),
            }
        }
        Kind::Mark(mark) => {
            let why = format!("The table {} is new, so there is nothing for `{}` to do.", mark.table, mark.once);
            Draft::new(change.clone(), Phase::Expand, why)
        }
        Kind::Rows(rows) => {
            let why = format!("The declared rows of {} are not known to stand.", rows.table);
            let plain = Draft::new(change.clone(), Phase::Backfill, why.clone());
            Draft::of_rows(change).map_or(plain, |draft| Draft { why, ..draft })
        }
        other => Draft::of_rows(other)
            .unwrap_or_else(|| Draft::new(other.clone(), Phase::Switch, format!("The {at} is declared differently."))),
    }
}

fn created(create: &mig_plan::kind::Create, context: &Context<'_>) -> Draft {
    let why = format!("The {} is declared and not there.", create.at);
    let draft = |phase| Draft::new(create.clone(), phase, why.clone());
    let at = &create.at;
    match &create.object.body {
        Body::Index(index) if context.renamed.table(&index.table).is_some() => {
            let says = "writers wait while it is built, without WAL readers too";
            let built = Hazard::new(HazardCode::BuildsIndex, at, says);
            if index.unique {
                let fails = Hazard::new(HazardCode::UniqueMayFail, at, "duplicates stop the step");
                let tightens = Hazard::new(HazardCode::TightensRule, at, "running clients may still write duplicates");
                draft(Phase::Contract).with(built).with(fails).with(tightens)
            } else {
                draft(Phase::Expand).with(built)
            }
        }
        Body::Source(_) if at.kind() == ObjectKind::Trigger => {
            let old = at
                .relation()
                .is_some_and(|of| context.renamed.objects.keys().any(|k| !k.is_member() && k.qualified() == of));
            if old { draft(Phase::Switch) } else { draft(Phase::Expand) }
        }
        _ => draft(Phase::Expand),
    }
}

/// The changes of a table that is there.
fn of_table(group: &Group, changes: &[&Kind], context: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
    let at = group.at.relation().unwrap_or_else(|| group.at.qualified());
    let absent = || complaint(&Address::table(&at), "the table is not there", None);
    let from = context.renamed.table(&at).ok_or_else(absent)?;
    let work = TableWork { at: &at, from, fill: group.fill.as_ref(), context };
    // A column that was dropped comes back with its values, which are rows that change.
    let writes = work.fill.is_some_and(|fill| !fill.set.is_empty())
        || changes.iter().any(|change| matches!(change, Kind::DropColumn(_)));
    let guards = if writes { guards::of(&at, context.renamed) } else { Vec::new() };
    if guards.is_empty() && changes.iter().all(|change| work.in_place(change)) {
        return work.alters(changes);
    }
    let names = guards.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if changes.is_empty() {
        let says = format!("the trigger {names} refuses every change of a row of {at}");
        let help = "take the trigger away in a plan before this one, and bring it back after it";
        return Err(complaint(&Address::table(&at), says, Some(help)));
    }
    let draft = work.rebuild(changes)?;
    if guards.is_empty() {
        return Ok(vec![draft]);
    }
    let says = format!(
        "{names} refuses every change of a row: the table is made anew and filled before its triggers are there again"
    );
    Ok(vec![draft.with(Hazard::new(HazardCode::PassesGuards, &Address::table(&at), says))])
}

struct TableWork<'a> {
    at: &'a Qualified,
    from: &'a Table,
    fill: Option<&'a Fill>,
    context: &'a Context<'a>,
}

impl TableWork<'_> {
    fn set(&self) -> BTreeMap<Name, Sql> {
        self.fill.map(|fill| fill.set.clone()).unwrap_or_default()
    }

    /// Whether ALTER TABLE can make a change without harm.
    fn in_place(&self, change: &Kind) -> bool {
        match change {
            Kind::AddColumn(add) => {
                let filled = self.set().contains_key(&add.column.name);
                can_be_added(self.from, &add.column) && !(filled && add.column.value != ColumnValue::Plain)
            }
            Kind::DropColumn(drop) => {
                !is_used(self.at, &drop.column.name, self.context.renamed) && self.from.columns.len() > 1
            }
            _ => false,
        }
    }

    /// Base names of this table's renamed columns, with their present names.
    fn columns(&self) -> BTreeMap<Name, Name> {
        let own = self.context.columns.iter().filter(|(at, _)| at.relation().as_ref() == Some(self.at));
        own.map(|(at, base)| (base.clone(), at.name().clone())).collect()
    }

    fn alters(&self, changes: &[&Kind]) -> Result<Vec<Draft>, Complaint> {
        let mut drafts = Vec::new();
        for change in changes {
            if let Kind::AddColumn(add) = change {
                let why = format!("The column {} is declared and not there.", add.column.name);
                drafts.push(Draft::new(add.clone(), Phase::Expand, why));
            }
        }
        drafts.extend(self.backfill()?);
        for change in changes {
            if let Kind::DropColumn(drop) = change {
                let at = Address::column(self.at, &drop.column.name);
                let says = "clients that name it fail; its values are kept until `mig gc`";
                let why = format!("Nothing declares the column {} any more.", drop.column.name);
                let draft = Draft::new(drop.clone(), Phase::Contract, why);
                drafts.push(draft.with(Hazard::new(HazardCode::DropColumn, &at, says)));
            }
        }
        Ok(drafts)
    }

    fn backfill(&self) -> Result<Vec<Draft>, Complaint> {
        let Some(fill) = self.fill.filter(|fill| !fill.set.is_empty()) else { return Ok(Vec::new()) };
        let columns = self.columns();
        let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
            fill.set.clone().into_iter().partition(|(column, _)| self.from.column(column).is_some());
        // New columns first: they may read what is then overwritten.
        let steps = [(new, false), (old, true)].into_iter().filter(|(set, _)| !set.is_empty());
        let drafts = steps.map(|(set, overwrites)| {
            let names: Vec<_> = set.keys().map(ToString::to_string).collect();
            let backfill = Backfill {
                table: self.at.clone(),
                alias: self.at.name.clone(),
                set,
                columns: columns.clone(),
                overwrites,
                rows: fill.rows.clone(),
                batch_rows: fill.batch_rows,
            };
            Draft::new(backfill, Phase::Backfill, format!("Existing rows get their {}.", names.join(", ")))
        });
        Ok(drafts.collect())
    }

    fn rebuild(&self, changes: &[&Kind]) -> Result<Draft, Complaint> {
        let mut to = self.from.clone();
        for change in changes {
            fold(&mut to, change)?;
        }
        let set = self.set();
        let plain = to.columns.iter().filter(|c| !matches!(c.value, ColumnValue::Generated { .. }));
        let copy = plain.filter_map(|column| {
            let declared = set.get(&column.name).cloned();
            let there = self.from.column(&column.name).is_some();
            (declared.is_some() || there).then(|| CopyColumn { to: column.name.clone(), declared })
        });
        let copy = copy.collect();
        let (table, from, columns) = (self.at.clone(), self.from.clone(), self.columns());
        let rows = self.fill.map(|fill| fill.rows.clone()).unwrap_or_default();
        let rebuild = Rebuild { table, from, to, copy, columns, rows };
        let why = format!("SQLite cannot change {} in place, so it is made anew with its rows.", self.at);
        Ok(Draft::new(rebuild, Phase::Switch, why))
    }
}

/// Makes a change of a table in the model, without asking what still needs what: all changes together are one.
fn fold(table: &mut Table, change: &Kind) -> Result<(), Complaint> {
    match change {
        Kind::AddColumn(add) => table.columns.push(add.column.clone()),
        Kind::DropColumn(drop) => table.columns.retain(|c| c.name != drop.column.name),
        Kind::AlterColumn(alter) => {
            if let Some(column) = table.column_mut(&alter.from.name) {
                *column = alter.to.clone();
            }
        }
        Kind::AddConstraint(add) => {
            table.constraints.insert(add.name.clone(), add.constraint.clone());
        }
        Kind::DropConstraint(drop) => {
            table.constraints.remove(&drop.name);
        }
        Kind::AlterTable(alter) => table.options.clone_from(&alter.to),
        Kind::RenameMember(rename) => {
            if let Some(constraint) = table.constraints.remove(rename.from.name()) {
                table.constraints.insert(rename.to.clone(), constraint);
            }
        }
        Kind::Replace(replace) => {
            if let Body::Table(to) = &replace.to.body {
                table.clone_from(to);
            }
        }
        other => return Err(complaint(&other.address(), format!("SQLite cannot {} here", other.slug()), None)),
    }
    Ok(())
}
