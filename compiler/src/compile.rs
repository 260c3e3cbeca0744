//! The pipeline: specs and a snapshot in, a plan out.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use mig_plan::{Address, Complaint, Context, Dialect, Group, Kind, Plan, Qualified, Schema, Snapshot};

use crate::{
    adopt::Adopter,
    alias, backups, dependants,
    diagnostic::{Code, Diagnostic, Severity},
    diff,
    emit::{self, Header, NoPlan, Placed},
    follow, foresee,
    intent::Intent,
    last_look, layers, lower,
    moves::{self, Renames},
    order, rows, sources,
    spec::{self, Engines, SpecFile},
    together,
};

/// What a compile may be told besides its inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The name that `--target` gave.
    pub target: Option<String>,
    /// The names of all engines that there are: those that specs may say something for.
    pub engines: &'static [&'static str],
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
    let document = spec::parse(files, Engines { this: dialect.engine(), all: options.engines })?;
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
    let (intent, snapshot) = with_standing(intent, snapshot, dialect);
    let renames = moves::resolve(&intent, &snapshot, dialect, &mut notes);
    fail_on_errors(&mut notes)?;
    let (goal, spelt) = alias::adopt_names(&intent.goal, &renames.schema, dialect);
    let intent = as_spelt(intent, &spelt);
    let owned = |at: &Address| owned(&intent, &snapshot, &renames, at);
    let found = diff::compare(&renames.schema, &goal, Adopter { dialect, snapshot: &snapshot }, &owned);
    let way = Way { intent: &intent, snapshot: &snapshot, renames: &renames, goal: &found.goal, dialect };
    let (groups, again) = way.groups(found.groups, &mut notes)?;
    let placed = way.placed(&groups, &again, &found.unknown)?;
    let plan = way.plan(&placed, &groups, options)?;
    overlaps(&plan, &snapshot)?;
    Ok(Compiled { plan, notes })
}

/// The way from a database to the goal, once both speak of the same things by the same names.
struct Way<'a> {
    intent: &'a Intent,
    snapshot: &'a Snapshot,
    renames: &'a Renames,
    goal: &'a Schema,
    dialect: &'a dyn Dialect,
}

impl Way<'_> {
    /// All changes by object: those that the comparison found, with their data and what else has to be done because of them. With the
    /// objects that are only dropped to be made again.
    fn groups(
        &self,
        mut groups: Vec<Group>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<(Vec<Group>, BTreeSet<Address>), Vec<Diagnostic>> {
        let &Self { intent, snapshot, renames, goal, dialect } = self;
        let live = &renames.schema;
        lower::attach_fills(&mut groups, intent, renames, snapshot, dialect, notes);
        sources::attach(&mut groups, intent, renames, goal, dialect, notes);
        rows::attach(&mut groups, &rows::Ground { intent, snapshot, renames, goal });
        last_look::attach(&mut groups, live, goal, dialect);
        follow::referrers(&mut groups, live, goal, dialect);
        fail_on_errors(notes)?;
        if let Some(arranged) = dialect.beside(&self.context(&groups, &[])) {
            groups = arranged;
        }
        dependants::split_replacements(&mut groups, live, goal, dialect);
        let again = dependants::recreate(&mut groups, live, goal, &renames.depends, dialect);
        likely_renames(&groups, intent, notes);
        Ok((groups, again))
    }

    fn context<'b>(&'b self, groups: &'b [Group], retyping: &'b [&'b Group]) -> Context<'b> {
        let Renames { schema, tables, columns, .. } = self.renames;
        Context { snapshot: self.snapshot, renamed: schema, goal: self.goal, tables, columns, groups, retyping }
    }

    /// The steps, in order, each with what it waits for.
    fn placed(
        &self,
        groups: &[Group],
        again: &BTreeSet<Address>,
        unknown: &BTreeSet<Address>,
    ) -> Result<Vec<Placed>, Vec<Diagnostic>> {
        let &Self { renames, goal, dialect, .. } = self;
        let retyping: Vec<_> = groups.iter().filter(|group| group.changes.iter().any(retypes)).collect();
        let mut nodes = lower::lower(renames, groups, unknown, &self.context(groups, &retyping), dialect)
            .map_err(|complaints| self.diagnostics(&complaints))?;
        let (live, depends, columns) = (&renames.schema, &renames.depends, &renames.columns);
        let circles = order::Circles::broken(&mut nodes, goal, dialect);
        let ground = order::Ground { live, goal, depends, columns, dialect, circles };
        let mut ordered =
            together::order(nodes, again, &ground).map_err(|stuck| vec![cycle_found(&stuck.cycle, &stuck.nodes)])?;
        layers::follow(&mut ordered, goal);
        Ok(places(&ordered))
    }

    /// The steps as a plan, with what is asked and saved before the first of them.
    fn plan(&self, placed: &[Placed], groups: &[Group], options: &Options) -> Result<Plan, Vec<Diagnostic>> {
        let &Self { intent, snapshot, renames, goal, dialect } = self;
        let header = Header {
            snapshot,
            target: options.target.clone(),
            specs: intent.specs_digest.clone(),
            checks: &intent.declared_checks,
            probes: &intent.declared_probes,
            datasets: &intent.declared_datasets,
            goal,
        };
        let mut plan = emit::emit(placed, &header, dialect).map_err(|no| match no {
            NoPlan::Complaints(complaints) => self.diagnostics(&complaints),
            NoPlan::NotProved(why) => vec![not_proved(&why)],
        })?;
        foresee::Ground { snapshot, renames, goal, dialect }.ask(groups, &mut plan);
        let ground = backups::Ground { intent, snapshot, renames, goal, dialect };
        plan.backups = ground.backups(groups, &plan.reserved()).map_err(|wrong| vec![*wrong])?;
        Ok(plan)
    }

    fn diagnostics(&self, complaints: &[Complaint]) -> Vec<Diagnostic> {
        complaints.iter().map(|complaint| emit::diagnostic(complaint, self.intent)).collect()
    }
}

/// The drafts of ordered nodes. The first of a node waits for other nodes; the others stand behind it.
fn places(ordered: &together::Ordered) -> Vec<Placed> {
    let together::Ordered { nodes, edges, sorted } = ordered;
    let mut waiting: BTreeMap<usize, Vec<(usize, &'static str)>> = BTreeMap::new();
    for (before, after, why) in edges {
        waiting.entry(*after).or_default().push((*before, why));
    }
    let mut placed = Vec::new();
    for (node, phase) in sorted {
        let mut waits_for = waiting.remove(node).unwrap_or_default();
        let whole = &nodes[*node];
        placed.extend(whole.drafts.iter().map(|draft| Placed {
            draft: draft.clone(),
            comes_back: together::comes_back(whole, &draft.change),
            phase: *phase,
            node: *node,
            waits_for: std::mem::take(&mut waits_for),
        }));
    }
    placed
}

/// The intent with its tables called what the database calls them.
fn as_spelt<'a>(mut intent: Cow<'a, Intent>, spelt: &BTreeMap<Qualified, Qualified>) -> Cow<'a, Intent> {
    fn called<T>(by_table: &mut BTreeMap<Qualified, T>, spelt: &BTreeMap<Qualified, Qualified>) {
        let all = std::mem::take(by_table).into_iter();
        *by_table = all.map(|(at, said)| (spelt.get(&at).cloned().unwrap_or(at), said)).collect();
    }
    if !spelt.is_empty() {
        let intent = intent.to_mut();
        called(&mut intent.sources, spelt);
        called(&mut intent.rows, spelt);
        called(&mut intent.fills, spelt);
        let left = std::mem::take(&mut intent.rows_left).into_iter();
        intent.rows_left = left.map(|at| spelt.get(&at).cloned().unwrap_or(at)).collect();
    }
    intent
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
fn owned(intent: &Intent, snapshot: &Snapshot, renames: &Renames, at: &Address) -> bool {
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
