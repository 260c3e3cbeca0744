//! From ordered drafts to a plan: renders each change where it stands, stamps it, proves the whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Check, Complaint, Dataset, DeclaredCheck, DeclaredProbe, Dialect, Draft, DraftCheck, Footing, Hazard,
    HazardCode, Kind, Name, Need, Object, ObjectKind, PLAN_FORMAT, Phase, Plan, Schema, Snapshot, Sql, Step, StepId,
    Table, Target, Undo, class_of,
    plan::{base_fingerprint, stamp, step_id, summarize},
    schema::Body,
    sql::tokens,
};

use crate::{
    diagnostic::{Code, Diagnostic},
    intent::Declared,
};

/// A draft in its place.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) draft: Draft,
    pub(crate) phase: Phase,
    /// Whether its node drops an object and makes it again as it was.
    pub(crate) comes_back: bool,
    /// The node it belongs to: drafts of one node are one transaction.
    pub(crate) node: usize,
    /// The nodes that its node waits for, each with the reason.
    pub(crate) waits_for: Vec<(usize, &'static str)>,
}

/// What the plan is made from, besides its steps.
pub(crate) struct Header<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) target: Option<String>,
    pub(crate) specs: mig_plan::Fingerprint,
    /// What the specs say must hold of the data.
    pub(crate) checks: &'a [Declared<DeclaredCheck>],
    /// What the database must take or refuse in the end.
    pub(crate) probes: &'a [Declared<DeclaredProbe>],
    /// Rows that are filed as evidence.
    pub(crate) datasets: &'a [Declared<Dataset>],
    /// What must stand in the end, as far as the specs manage it.
    pub(crate) goal: &'a Schema,
}

/// Why no plan came out.
#[derive(Debug)]
pub(crate) enum NoPlan {
    /// The engine cannot do it.
    Complaints(Vec<Complaint>),
    /// Our own bug.
    NotProved(String),
}

/// Renders, stamps, proves.
pub(crate) fn emit(placed: &[Placed], header: &Header<'_>, dialect: &dyn Dialect) -> Result<Plan, NoPlan> {
    let mut schema = header.snapshot.schema.0.clone();
    // One step behind: copying a schema for each step would take as long as there are objects.
    let mut before = schema.clone();
    let mut steps: Vec<Step> = Vec::new();
    let mut checks = Vec::new();
    let mut touched_at_all = BTreeSet::new();
    let mut last_of_node: BTreeMap<usize, StepId> = BTreeMap::new();
    let mut mark_of_node: BTreeMap<usize, String> = BTreeMap::new();
    let mut complaints = Vec::new();
    let mut ids: BTreeMap<StepId, usize> = BTreeMap::new();
    let mut new_names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut made: BTreeSet<String> = BTreeSet::new();
    let mut filled: BTreeSet<Address> = BTreeSet::new();
    for place in placed {
        let change = &place.draft.change;
        let touched = change.touches(&schema);
        let unproved = |e| NoPlan::NotProved(format!("{} {}: {e}", change.slug(), change.address()));
        schema.apply(change).map_err(unproved)?;
        let rendered = match dialect.render(change, &before, &schema) {
            Ok(rendered) => rendered,
            Err(complaint) => {
                complaints.push(complaint);
                before.apply(change).map_err(unproved)?;
                continue;
            }
        };
        let undo = match dialect.render_undo(change, &before, &schema) {
            Ok(undo) => undo,
            Err(complaint) => {
                complaints.push(complaint);
                before.apply(change).map_err(unproved)?;
                continue;
            }
        };
        let id = unique_id(change, &mut ids);
        let mut hazards = place.draft.hazards.clone();
        hazards.extend(rendered.hazards);
        hazards.extend(undo.hazards);
        if place.comes_back {
            hazards = made_again(change, hazards);
        }
        hazards.sort();
        hazards.dedup();
        // What the plan itself makes, renames or fills cannot be asked before the first write; constraints decide.
        let askable = |check: &DraftCheck| {
            let names = names_in(&Sql::new(check.count.sql()));
            let tables = names.iter().cloned().chain([any_case(check.at.holder().name())]);
            let late = tables.filter_map(|table| new_names.get(&table)).any(|new| !names.is_disjoint(new));
            let of_new = !names.is_disjoint(&made);
            let there = header.snapshot.schema.0.objects.contains_key(&check.at.holder());
            !late && !of_new && !filled.contains(&check.at) && there
        };
        for check in rendered.checks.into_iter().filter(askable) {
            let step = id.clone();
            let (at, says, help) = (check.at, check.says, check.help);
            let (count, sample, stops) = (check.count, check.sample, check.stops);
            // What is about no rows is asked once, whatever needs it.
            if checks.iter().any(|other: &Check| other.count == count && other.says == says) {
                continue;
            }
            checks.push(Check { step, at, says, help, count, sample, stops, at_most: 0, first: false });
        }
        let mut needs: Vec<Need> = place
            .waits_for
            .iter()
            .filter_map(|(node, why)| Some(Need { step: last_of_node.get(node)?.clone(), because: (*why).to_owned() }))
            .collect();
        needs.sort();
        needs.dedup();
        last_of_node.insert(place.node, id.clone());
        if let Kind::Backfill(fill) = change {
            filled.extend(fill.set.keys().map(|column| Address::column(&fill.table, column)));
        }
        if let Some((table, names)) = brings(change) {
            new_names.entry(any_case(table.name())).or_default().extend(names.iter().map(any_case));
        }
        made.extend(new_relation(change).as_ref().map(any_case));
        steps.push(Step {
            id,
            kind: change.slug().to_owned(),
            phase: place.phase,
            class: class_of(&hazards),
            why: place.draft.why.clone(),
            needs,
            lock: rendered.lock,
            // One transaction may change several objects; it is named after the first.
            atomic: place.draft.atomic.as_ref().map(|mark| {
                let name = || format!("{}/{mark}", change.address().holder().dotted());
                mark_of_node.entry(place.node).or_insert_with(name).clone()
            }),
            action: rendered.action,
            probe: rendered.probe,
            before: stamp(&before, &touched),
            after: stamp(&schema, &touched),
            undo: Undo { says: undo.says, change: change.reverse(&before), action: undo.action },
            hazards,
            gc: rendered.gc,
            change: change.clone(),
        });
        touched_at_all.extend(touched);
        before.apply(change).map_err(unproved)?;
    }
    if !complaints.is_empty() {
        return Err(NoPlan::Complaints(complaints));
    }
    prove(&schema, header, &steps)?;
    let footprint = footprint(&touched_at_all, header.snapshot);
    let reserved: BTreeSet<Address> = footprint.iter().map(|f| f.at.clone()).collect();
    let nothing = steps.is_empty();
    let concerned = |of: &BTreeSet<Address>| !nothing && (of.is_empty() || of.iter().any(|at| reserved.contains(at)));
    let plan = Plan {
        format: PLAN_FORMAT.to_owned(),
        compiler: format!("mig {}", env!("CARGO_PKG_VERSION")),
        target: Target {
            name: header.target.clone(),
            engine: header.snapshot.engine.clone(),
            version: header.snapshot.version.clone(),
        },
        base: base_fingerprint(&footprint),
        goal: stamp(&schema, &reserved),
        specs: header.specs.clone(),
        summary: summarize(&steps),
        checks,
        declared: header.checks.iter().filter(|d| concerned(&d.of)).map(|d| d.what.clone()).collect(),
        probes: header.probes.iter().filter(|d| concerned(&d.of)).map(|d| d.what.clone()).collect(),
        datasets: header.datasets.iter().filter(|d| concerned(&d.of)).map(|d| d.what.clone()).collect(),
        backups: Vec::new(),
        steps,
        footprint,
    };
    plan.states().map_err(|e| NoPlan::NotProved(e.to_string()))?;
    Ok(plan)
}

/// The name of a table that is not there before the change.
fn new_relation(change: &Kind) -> Option<Name> {
    let at = match change {
        Kind::Create(create) => &create.at,
        Kind::Rename(rename) => &rename.to,
        _ => return None,
    };
    (at.kind() == ObjectKind::Table).then(|| at.name().clone())
}

/// The hazards of an object that is dropped and made again in one transaction: nobody meets a moment without it.
fn made_again(change: &Kind, mut hazards: Vec<Hazard>) -> Vec<Hazard> {
    use HazardCode::{ChangesAccess, DropsObject, DropsView, RecreatesView};
    hazards.retain(|h| !matches!(h.code, DropsView | DropsObject | ChangesAccess));
    if let Kind::Drop(drop) = change {
        let says = "it is dropped and made again in one transaction; clients that use it wait a moment";
        if matches!(drop.object.body, Body::View(_)) {
            hazards.push(Hazard::new(RecreatesView, &drop.at, says));
        }
    }
    hazards
}

/// The table and the names of columns that a change brings to it.
fn brings(change: &Kind) -> Option<(Address, Vec<Name>)> {
    match change {
        Kind::AddColumn(add) => Some((Address::table(&add.table), vec![add.column.name.clone()])),
        Kind::RenameMember(rename) => Some((Address::table(&rename.from.relation()?), vec![rename.to.clone()])),
        Kind::Sync(k) => {
            let hidden = k.twins.pairs.iter().map(|pair| pair.hidden.name.clone());
            Some((Address::table(&k.twins.table), hidden.collect()))
        }
        _ => None,
    }
}

/// The names that a text may mean, whichever way the engine takes the case of bare words.
fn names_in(sql: &Sql) -> BTreeSet<String> {
    tokens(sql.as_str()).filter_map(|token| token.identifier()).map(|name| name.to_ascii_lowercase()).collect()
}

fn any_case(name: &Name) -> String {
    name.as_str().to_ascii_lowercase()
}

/// An id by content; two steps that are the same change get the same digits, so the later one is told apart by a count.
fn unique_id(change: &Kind, ids: &mut BTreeMap<StepId, usize>) -> StepId {
    let id = step_id(change);
    let same = ids.entry(id.clone()).or_default();
    *same += 1;
    if *same == 1 { id } else { StepId(format!("{id}-{same}")) }
}

/// Replaying every step must give the goal, and taking every step back must give the base.
fn prove(end: &Schema, header: &Header<'_>, steps: &[Step]) -> Result<(), NoPlan> {
    if let Some(at) = differs(end, header.goal) {
        return Err(not_alike("the steps do not lead to the declared", &at, end, header.goal));
    }
    let mut back = end.clone();
    for step in steps.iter().rev() {
        if let Some(change) = &step.undo.change {
            back.apply(change).map_err(|e| NoPlan::NotProved(format!("undoing {}: {e}", step.id)))?;
        }
    }
    match differs(&back, &header.snapshot.schema.0) {
        Some(at) => Err(not_alike("undoing the steps does not bring back", &at, &back, &header.snapshot.schema.0)),
        None => Ok(()),
    }
}

/// What a report of the bug needs to hold.
fn not_alike(says: &str, at: &Address, found: &Schema, wanted: &Schema) -> NoPlan {
    let json = |schema: &Schema| serde_json::to_string(&schema.objects.get(at)).unwrap_or_default();
    NoPlan::NotProved(format!("{says} {at}: it would be {} instead of {}", json(found), json(wanted)))
}

/// The first object in which two schemas differ, column order and proofs of constraints aside.
fn differs(a: &Schema, b: &Schema) -> Option<Address> {
    let all: BTreeSet<&Address> = a.objects.keys().chain(b.objects.keys()).collect();
    all.into_iter().find(|at| !alike(a.objects.get(*at), b.objects.get(*at))).cloned()
}

fn alike(a: Option<&Arc<Object>>, b: Option<&Arc<Object>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a == b || (a.comment == b.comment && a.grants == b.grants && ordered(&a.body) == ordered(&b.body))
        }
        (a, b) => a == b,
    }
}

/// A body with a table's columns sorted by name, whatever is known of its constraints.
fn ordered(body: &Body) -> Body {
    match body {
        Body::Table(table) => {
            let mut table: Table = table.clone();
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
            // Being known to hold is nothing that has to be taken back.
            table.constraints.values_mut().for_each(|c| c.validity = mig_plan::schema::Validity::Valid);
            Body::Table(table)
        }
        other => other.clone(),
    }
}

fn footprint(touched: &BTreeSet<Address>, snapshot: &Snapshot) -> Vec<Footing> {
    let mut dependents: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for (at, needs) in &snapshot.depends {
        for need in needs {
            let (who, whom) = (at.holder(), need.holder());
            if who != whom && touched.contains(&whom) && !touched.contains(&who) {
                dependents.entry(whom).or_default().insert(who);
            }
        }
    }
    touched
        .iter()
        .map(|at| Footing {
            at: at.clone(),
            object: snapshot.schema.0.objects.get(at).cloned(),
            dependents: dependents.remove(at).unwrap_or_default(),
        })
        .collect()
}

/// A complaint at the place in the specs that it is about.
pub(crate) fn diagnostic(complaint: &Complaint, intent: &crate::intent::Intent) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Code::EngineCannot, complaint.says.clone());
    let place = [complaint.at.clone(), complaint.at.holder()].into_iter().find_map(|at| intent.spans.get(&at).cloned());
    if let Some(place) = place {
        diagnostic = diagnostic.at(&place);
    }
    if let Some(help) = &complaint.help {
        diagnostic = diagnostic.help(help.clone());
    }
    diagnostic
}
