//! From changes to drafts of steps, by the engine's recipes.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Complaint, Context, Dialect, Draft, Group, Hazard, HazardCode, Kind, Snapshot, kind::Mark,
};

use crate::{
    diagnostic::{Code, Diagnostic},
    intent::{Intent, Transform},
    moves::Renames,
    order::Node,
    transform::Composer,
};

/// Gives each table's group the part of its transform that this plan has to carry out: the columns that it adds, alters or renames.
/// A transform of a column that is there already is done; it says so.
pub(crate) fn attach_fills(
    groups: &mut Vec<Group>,
    intent: &Intent,
    renames: &Renames,
    snapshot: &Snapshot,
    dialect: &dyn Dialect,
    notes: &mut Vec<Diagnostic>,
) {
    let narrowed: BTreeSet<Address> = groups.iter().flat_map(|g| &g.changes).filter_map(loses_values).collect();
    for (table, transform) in &intent.fills {
        let at = Address::table(table);
        let group = groups.iter().position(|g| g.at == at);
        let there = renames.schema.table(table).is_some();
        if let (Some(once), Some(i), false) = (&transform.once, group, there) {
            groups[i].changes.push(Mark { table: table.clone(), once: once.clone() }.into());
            continue;
        }
        let once = transform.once.as_ref().map(|once| {
            let (said, made) = Mark::record(once);
            !snapshot.remembers(&at, &said, &made)
        });
        if let (Some(true), Some(column)) = (once, retyped(transform, group.map(|i| &groups[i]))) {
            let says =
                format!("the type of {column} changes in the same plan, which gives its values a new form anyway");
            let help = "leave `once` out, or change the type in a plan before this transform";
            notes.push(Diagnostic::new(Code::Contradiction, says).at(&transform.place).help(help));
            continue;
        }
        let due = |column: &mig_plan::Name| {
            if let Some(due) = once {
                return due;
            }
            let at = Address::column(table, column);
            renames.columns.contains_key(&at)
                || renames.depends.get(&at).is_some_and(|needs| needs.iter().any(|need| narrowed.contains(need)))
                || group.is_some_and(|i| groups[i].changes.iter().any(|change| gives_value(change, column)))
        };
        let composer = Composer {
            at: table,
            table: renames.schema.table(table),
            goal: intent.goal.table(table),
            schema: &intent.goal,
            renamed: &renames.columns,
            dialect,
        };
        let fill = match composer.fill(transform, &due) {
            Ok(fill) if fill.set.is_empty() => {
                note_unused(table, transform, notes);
                continue;
            }
            Ok(fill) => Some(fill),
            Err(wrong) => {
                notes.extend(wrong);
                continue;
            }
        };
        match group {
            Some(i) => groups[i].fill = fill,
            None => groups.push(Group { at, changes: Vec::new(), fill }),
        }
    }
    groups.sort_by(|a, b| a.at.cmp(&b.at));
}

/// A column that a transform sets and whose type a group changes.
fn retyped<'a>(transform: &'a Transform, group: Option<&Group>) -> Option<&'a mig_plan::Name> {
    let changes = group.map(|group| group.changes.as_slice()).unwrap_or_default();
    let moves = |column: &&mig_plan::Name| {
        changes.iter().any(|change| {
            matches!(change, Kind::AlterColumn(k) if k.to.name == **column && k.from.data_type != k.to.data_type)
        })
    };
    transform.columns.keys().find(moves)
}

fn gives_value(change: &Kind, column: &mig_plan::Name) -> bool {
    match change {
        Kind::AddColumn(add) => add.column.name == *column,
        Kind::AlterColumn(alter) => {
            alter.to.name == *column
                && (alter.from.data_type != alter.to.data_type || (alter.to.not_null && !alter.from.not_null))
        }
        _ => false,
    }
}

/// The enum that a change takes values from: a transform says what becomes of rows that have them.
fn loses_values(change: &Kind) -> Option<Address> {
    let Kind::Replace(replace) = change else { return None };
    match (&replace.from.body, &replace.to.body) {
        (Body::Enum { values: from }, Body::Enum { values: to }) if from.iter().any(|v| !to.contains(v)) => {
            Some(replace.at.clone())
        }
        _ => None,
    }
}

fn note_unused(table: &mig_plan::Qualified, transform: &Transform, notes: &mut Vec<Diagnostic>) {
    let says =
        format!("the transform of {table} has nothing to do: its columns are there already, or the table is new");
    let help = "a transform runs in the plan that adds, alters or renames its column, and with `once` by itself, one time; then it can go";
    notes.push(Diagnostic::new(Code::FillUnused, says).at(&transform.place).help(help));
}

/// Asks the dialect for the recipes of all renames and groups. `unknown` are objects with a spelling that cannot be told.
pub(crate) fn lower(
    renames: &Renames,
    groups: &[Group],
    unknown: &BTreeSet<Address>,
    context: &Context<'_>,
    dialect: &dyn Dialect,
) -> Result<Vec<Node>, Vec<Complaint>> {
    let mut nodes = Vec::new();
    let mut complaints = Vec::new();
    match dialect.renames(&renames.changes, context) {
        Ok(drafts) => push_recipe(&mut nodes, 0, drafts),
        Err(wrong) => complaints.extend(wrong),
    }
    for (i, group) in groups.iter().enumerate() {
        match dialect.recipe(group, context) {
            Ok(mut drafts) => {
                if unknown.contains(&group.at) {
                    doubt(&group.at, &mut drafts);
                }
                push_recipe(&mut nodes, i + 1, drafts);
            }
            Err(complaint) => complaints.push(complaint),
        }
    }
    if complaints.is_empty() { Ok(nodes) } else { Err(complaints) }
}

/// Steps that may be there only because two spellings could not be told to mean the same.
fn doubt(at: &Address, drafts: &mut [Draft]) {
    for draft in drafts {
        let made_from_text =
            matches!(draft.change, Kind::AddConstraint(_) | Kind::AlterColumn(_) | Kind::Replace(_) | Kind::Rebuild(_));
        if made_from_text {
            let says = format!(
                "mig cannot tell whether the text declared for {} means what the database has; if it does, this step is not needed",
                at.dotted()
            );
            draft.hazards.push(Hazard::new(HazardCode::SpellingUnknown, at, says));
        }
    }
}

fn push_recipe(nodes: &mut Vec<Node>, recipe: usize, drafts: Vec<Draft>) {
    let mut place = 0;
    let mut last_mark: Option<String> = None;
    for draft in drafts {
        let joins = draft.atomic.is_some() && draft.atomic == last_mark;
        last_mark.clone_from(&draft.atomic);
        match nodes.last_mut().filter(|_| joins) {
            Some(node) => node.drafts.push(draft),
            None => {
                nodes.push(Node { drafts: vec![draft], recipes: vec![(recipe, place)] });
                place += 1;
            }
        }
    }
}

/// A key that orders nodes among those that may go at the same time, and that no other node has.
pub(crate) fn key(node: &Node) -> (Address, usize, &'static str, String) {
    let first = &node.drafts[0].change;
    let content = mig_plan::Fingerprint::of(first).as_str().to_owned();
    (first.address().holder(), node.recipes.first().map_or(0, |r| r.1), first.slug(), content)
}
