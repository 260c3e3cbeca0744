//! The pipeline: specs and a snapshot in, a plan out.

use std::{borrow::Cow, collections::BTreeMap};

use mig_plan::{Address, Context, Dialect, Group, Kind, Plan, Snapshot};

use crate::{
    adopt::Adopter,
    alias, backups, dependants,
    diagnostic::{Code, Diagnostic, Severity},
    diff,
    emit::{self, Header, NoPlan, Placed},
    follow, foresee,
    intent::Intent,
    lower, moves, order, rows, sources,
    spec::{self, SpecFile},
    together,
};

/// What a compile may be told besides its inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The name that `--target` gave.
    pub target: Option<String>,
}

/// A plan and what else there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The plan; without steps if there is nothing to do.
    pub plan: Plan,
    /// Warnings and notes.
    pub notes: Vec<Diagnostic>,
}

/// Compiles specs against a database as pulled.
///
/// # Errors
/// Everything that is wrong with the specs or that the engine cannot do, at once.
pub fn compile(
    files: &[SpecFile],
    snapshot: &Snapshot,
    dialect: &dyn Dialect,
    options: &Options,
) -> Result<Compiled, Vec<Diagnostic>> {
    let document = spec::parse(files, dialect.engine())?;
    let intent = spec::resolve(&document, dialect)?;
    compile_intent(&intent, snapshot, dialect, options)
}

/// Compiles an intent; see [`compile`].
///
/// # Errors
/// See [`compile`].
pub fn compile_intent(
    intent: &Intent,
    snapshot: &Snapshot,
    dialect: &dyn Dialect,
    options: &Options,
) -> Result<Compiled, Vec<Diagnostic>> {
    let mut notes = Vec::new();
    let (intent_in_full, snapshot_in_full) = with_standing(intent, snapshot, dialect);
    let (intent, snapshot) = (&*intent_in_full, &*snapshot_in_full);
    let renames = moves::resolve(intent, snapshot, dialect, &mut notes);
    fail_on_errors(&mut notes)?;
    let adopter = Adopter { dialect, snapshot };
    let owner = intent;
    let owned = |at: &Address| owned(owner, snapshot, &renames, at);
    let (goal, spelt) = alias::adopt_names(&intent.goal, &renames.schema, dialect);
    let mut intent_as_spelt;
    let intent = if spelt.is_empty() {
        intent
    } else {
        intent_as_spelt = intent.clone();
        intent_as_spelt.sources =
            intent.sources.iter().map(|(at, all)| (spelt.get(at).unwrap_or(at).clone(), all.clone())).collect();
        intent_as_spelt.rows =
            intent.rows.iter().map(|(at, all)| (spelt.get(at).unwrap_or(at).clone(), all.clone())).collect();
        intent_as_spelt.fills =
            intent.fills.iter().map(|(at, fill)| (spelt.get(at).unwrap_or(at).clone(), fill.clone())).collect();
        &intent_as_spelt
    };
    let found = diff::compare(&renames.schema, &goal, adopter, &owned);
    let mut groups = found.groups;
    lower::attach_fills(&mut groups, intent, &renames, snapshot, dialect, &mut notes);
    sources::attach(&mut groups, intent, &renames, &found.goal, dialect, &mut notes);
    rows::attach(&mut groups, intent, snapshot, &renames.schema, &found.goal);
    follow::referrers(&mut groups, &renames.schema, &found.goal, dialect);
    fail_on_errors(&mut notes)?;
    let around = Context {
        snapshot,
        renamed: &renames.schema,
        goal: &found.goal,
        tables: &renames.tables,
        columns: &renames.columns,
        groups: &groups,
        retyping: &[],
    };
    if let Some(arranged) = dialect.beside(&around) {
        groups = arranged;
    }
    dependants::split_replacements(&mut groups, &renames.schema, &found.goal, dialect);
    let again = dependants::recreate(&mut groups, &renames.schema, &found.goal, &renames.depends, dialect);
    likely_renames(&groups, intent, &mut notes);
    let retyping: Vec<_> = groups.iter().filter(|group| group.changes.iter().any(retypes)).collect();
    let context = Context {
        snapshot,
        renamed: &renames.schema,
        goal: &found.goal,
        tables: &renames.tables,
        columns: &renames.columns,
        groups: &groups,
        retyping: &retyping,
    };
    let complain = |complaints: Vec<mig_plan::Complaint>| -> Vec<Diagnostic> {
        complaints.iter().map(|c| emit::diagnostic(c, intent)).collect()
    };
    let nodes = lower::lower(&renames, &groups, &found.unknown, &context, dialect).map_err(complain)?;
    let (live, depends, columns) = (&renames.schema, &renames.depends, &renames.columns);
    let ground = order::Ground { live, goal: &found.goal, depends, columns, dialect };
    let ordered =
        together::order(nodes, &again, &ground).map_err(|stuck| vec![cycle_found(&stuck.cycle, &stuck.nodes)])?;
    let together::Ordered { nodes, edges, sorted } = &ordered;
    let mut waiting: BTreeMap<usize, Vec<(usize, &'static str)>> = BTreeMap::new();
    for (before, after, why) in edges {
        waiting.entry(*after).or_default().push((*before, why));
    }
    let placed: Vec<Placed> = sorted
        .iter()
        .flat_map(|(node, phase)| {
            let waits_for = waiting.get(node).cloned().unwrap_or_default();
            let whole = &nodes[*node];
            whole.drafts.iter().enumerate().map(move |(i, draft)| Placed {
                draft: draft.clone(),
                comes_back: together::comes_back(whole, &draft.change),
                phase: *phase,
                node: *node,
                waits_for: if i == 0 { waits_for.clone() } else { Vec::new() },
            })
        })
        .collect();
    let header = Header {
        snapshot,
        target: options.target.clone(),
        specs: intent.specs_digest.clone(),
        checks: &intent.declared_checks,
        probes: &intent.declared_probes,
        datasets: &intent.declared_datasets,
        goal: &found.goal,
    };
    let mut plan = emit::emit(&placed, &header, dialect).map_err(|no| match no {
        NoPlan::Complaints(complaints) => complain(complaints),
        NoPlan::NotProved(why) => vec![not_proved(&why)],
    })?;
    foresee::Ground { snapshot, renames: &renames, goal: &found.goal, dialect }.ask(&groups, &mut plan);
    let ground = backups::Ground { intent, snapshot, renames: &renames, goal: &found.goal, dialect };
    plan.backups = ground.backups(&groups, &plan.reserved()).map_err(|wrong| vec![*wrong])?;
    overlaps(&plan, snapshot)?;
    Ok(Compiled { plan, notes })
}

/// Both sides with what every database has, where one of them speaks of it.
fn with_standing<'a>(
    intent: &'a Intent,
    snapshot: &'a Snapshot,
    dialect: &dyn Dialect,
) -> (Cow<'a, Intent>, Cow<'a, Snapshot>) {
    let (mut intent, mut snapshot) = (Cow::Borrowed(intent), Cow::Borrowed(snapshot));
    for (at, object) in dialect.standing() {
        let live = snapshot.schema.0.objects.get(&at).cloned();
        match (&live, intent.goal.objects.contains_key(&at)) {
            (None, true) => drop(snapshot.to_mut().schema.0.objects.insert(at, object.into())),
            (Some(there), false) => {
                let wanted = if intent.manages(&at, &object) { object.into() } else { there.clone() };
                intent.to_mut().goal.objects.insert(at, wanted);
            }
            _ => {}
        }
    }
    (intent, snapshot)
}

/// Whether an object that only the database has is the specs' to drop.
fn owned(intent: &Intent, snapshot: &Snapshot, renames: &moves::Renames, at: &Address) -> bool {
    let object = renames.schema.objects.get(at).or_else(|| snapshot.schema.0.objects.get(at));
    !snapshot.schema.0.is_opaque(at) && object.is_some_and(|object| intent.manages(at, object))
}

fn fail_on_errors(notes: &mut Vec<Diagnostic>) -> Result<(), Vec<Diagnostic>> {
    if notes.iter().any(|n| n.severity == Severity::Error) { Err(std::mem::take(notes)) } else { Ok(()) }
}

fn cycle_found(cycle: &order::CycleFound, nodes: &[order::Node]) -> Diagnostic {
    let walk: Vec<String> = cycle
        .path
        .iter()
        .map(|(node, why)| {
            let change = &nodes[*node].drafts[0].change;
            format!("{} {} ({why})", change.slug(), change.address())
        })
        .collect();
    Diagnostic::new(Code::Cycle, format!("steps need each other: {}", walk.join(" -> ")))
        .help("split the change into two plans, or report this with the specs: mig should break the circle itself")
}

fn not_proved(why: &str) -> Diagnostic {
    Diagnostic::new(Code::NotProved, format!("internal error: {why}"))
        .help("no plan was written; this is a bug of mig: please report it with the specs and a snapshot (`mig pull`)")
}

/// Whether a change gives a column another type.
fn retypes(change: &Kind) -> bool {
    matches!(change, Kind::AlterColumn(alter) if alter.from.data_type != alter.to.data_type)
}

/// A plan may not touch what an open run reserves.
fn overlaps(plan: &Plan, snapshot: &Snapshot) -> Result<(), Vec<Diagnostic>> {
    let reserved = plan.reserved();
    let found: Vec<Diagnostic> = snapshot
        .open_runs
        .iter()
        .filter_map(|open| {
            let at = open.reserved.intersection(&reserved).next()?;
            let says = format!("run {} is open and reserves {at}", open.run);
            let help = "finish it with `mig apply` or take it back with `mig rollback`, then plan again";
            Some(Diagnostic::new(Code::OverlapsOpenRun, says).help(help))
        })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// A drop and an add that look like a rename are never taken for one, but said.
fn likely_renames(groups: &[Group], intent: &Intent, notes: &mut Vec<Diagnostic>) {
    for group in groups {
        let adds: Vec<_> =
            group.changes.iter().filter_map(|c| if let Kind::AddColumn(add) = c { Some(add) } else { None }).collect();
        let drops: Vec<_> = group
            .changes
            .iter()
            .filter_map(|c| if let Kind::DropColumn(drop) = c { Some(drop) } else { None })
            .collect();
        for drop in &drops {
            let alike: Vec<_> = adds.iter().filter(|add| add.column.data_type == drop.column.data_type).collect();
            if let [add] = alike.as_slice() {
                let at = Address::column(&add.table, &add.column.name);
                let says = format!(
                    "{} goes and {} comes with the same type: the values go with the old column",
                    drop.column.name, at
                );
                let help = format!("if it is a rename, write `was = \"{}\"` on the new column", drop.column.name);
                let mut note = Diagnostic::new(Code::LikelyRename, says).help(help);
                if let Some(place) = intent.spans.get(&at) {
                    note = note.at(place);
                }
                notes.push(note);
            }
        }
    }
}
