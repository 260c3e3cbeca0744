//! From ordered drafts to a plan: renders each change where it stands, stamps it, proves the whole.

mod asked;
mod beside;
mod origin;
mod proof;
mod tried;

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Complaint, Dataset, DeclaredCheck, DeclaredProbe, Dialect, Draft, Footing, Hazard, HazardCode, Kind, Need,
    PLAN_FORMAT, Phase, Plan, Rendered, RenderedUndo, Schema, Snapshot, Step, StepId, Target, Undo, class_of,
    plan::{base_fingerprint, stamp, step_id, summarize},
    schema::Body,
};

use self::{asked::Asked, proof::prove, tried::Trials};
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
    let mut emitter = Emitter::new(&header.snapshot.schema.0, dialect);
    for place in placed {
        emitter.step(place)?;
    }
    emitter.finish(header)
}

/// The steps so far, and the schema that they lead to.
struct Emitter<'a> {
    dialect: &'a dyn Dialect,
    schema: Schema,
    /// One step behind: copying a schema for each step would take as long as there are objects.
    before: Schema,
    steps: Vec<Step>,
    asked: Asked<'a>,
    trials: Trials,
    touched: BTreeSet<Address>,
    last_of_node: BTreeMap<usize, StepId>,
    mark_of_node: BTreeMap<usize, String>,
    ids: BTreeMap<StepId, usize>,
    complaints: Vec<Complaint>,
}

impl<'a> Emitter<'a> {
    fn new(live: &'a Schema, dialect: &'a dyn Dialect) -> Self {
        Self {
            dialect,
            schema: live.clone(),
            before: live.clone(),
            steps: Vec::new(),
            asked: Asked::new(live, dialect),
            trials: Trials::new(dialect.tries_rows()),
            touched: BTreeSet::new(),
            last_of_node: BTreeMap::new(),
            mark_of_node: BTreeMap::new(),
            ids: BTreeMap::new(),
            complaints: Vec::new(),
        }
    }

    /// Renders a draft where it stands. What the engine cannot do is collected, so that all of it is said at once.
    fn step(&mut self, place: &Placed) -> Result<(), NoPlan> {
        let change = &place.draft.change;
        let touched = change.touches(&self.schema);
        let unproved = |e| NoPlan::NotProved(format!("{} {}: {e}", change.slug(), change.address()));
        self.schema.apply(change).map_err(unproved)?;
        let rendered = self.dialect.render(change, &self.before, &self.schema);
        match rendered.and_then(|done| Ok((done, self.dialect.render_undo(change, &self.before, &self.schema)?))) {
            Ok((rendered, undo)) => self.push(place, &touched, rendered, undo),
            Err(complaint) => self.complaints.push(complaint),
        }
        self.before.apply(change).map_err(unproved)
    }

    fn push(&mut self, place: &Placed, touched: &BTreeSet<Address>, rendered: Rendered, undo: RenderedUndo) {
        let change = &place.draft.change;
        let id = unique_id(change, &mut self.ids);
        let hazards = hazards(place, rendered.hazards, undo.hazards);
        self.asked.ask(&id, change, rendered.checks);
        let tried = self.trials.admit(change, touched, &self.before);
        let needs = self.needs(place);
        self.last_of_node.insert(place.node, id.clone());
        self.asked.done(change);
        // One transaction may change several objects; it is named after the first.
        let atomic = place.draft.atomic.as_ref().map(|mark| {
            let name = || format!("{}/{mark}", change.address().holder().dotted());
            self.mark_of_node.entry(place.node).or_insert_with(name).clone()
        });
        self.steps.push(Step {
            id,
            kind: change.slug().to_owned(),
            phase: place.phase,
            class: class_of(&hazards),
            why: place.draft.why.clone(),
            needs,
            lock: rendered.lock,
            atomic,
            group: None,
            tried,
            action: rendered.action,
            probe: rendered.probe,
            before: stamp(&self.before, touched),
            after: stamp(&self.schema, touched),
            undo: Undo { says: undo.says, change: change.reverse(&self.before), action: undo.action },
            hazards,
            gc: rendered.gc,
            change: change.clone(),
        });
        self.touched.extend(touched.iter().cloned());
    }

    /// The last steps of the nodes that the place's node waits for.
    fn needs(&self, place: &Placed) -> Vec<Need> {
        let need = |(node, why): &(usize, &'static str)| {
            Some(Need { step: self.last_of_node.get(node)?.clone(), because: (*why).to_owned() })
        };
        let needs: BTreeSet<Need> = place.waits_for.iter().filter_map(need).collect();
        needs.into_iter().collect()
    }

    fn finish(mut self, header: &Header<'_>) -> Result<Plan, NoPlan> {
        if !self.complaints.is_empty() {
            return Err(NoPlan::Complaints(self.complaints));
        }
        if self.dialect.fills_beside() {
            beside::group(&mut self.steps);
        }
        prove(&self.schema, header, &self.steps)?;
        let footprint = footprint(&self.touched, header.snapshot);
        let reserved: BTreeSet<Address> = footprint.iter().map(|f| f.at.clone()).collect();
        let nothing = self.steps.is_empty();
        let concerned =
            |of: &BTreeSet<Address>| !nothing && (of.is_empty() || of.iter().any(|at| reserved.contains(at)));
        let plan = Plan {
            format: PLAN_FORMAT.to_owned(),
            compiler: format!("mig {}", env!("CARGO_PKG_VERSION")),
            target: Target {
                name: header.target.clone(),
                engine: header.snapshot.engine.clone(),
                version: header.snapshot.version.clone(),
            },
            base: base_fingerprint(&footprint),
            goal: stamp(&self.schema, &reserved),
            specs: header.specs.clone(),
            summary: summarize(&self.steps),
            checks: self.asked.checks,
            declared: header.checks.iter().filter(|d| concerned(&d.of)).map(|d| d.what.clone()).collect(),
            probes: header.probes.iter().filter(|d| concerned(&d.of)).map(|d| d.what.clone()).collect(),
            datasets: header.datasets.iter().filter(|d| concerned(&d.of)).map(|d| d.what.clone()).collect(),
            backups: Vec::new(),
            steps: self.steps,
            footprint,
        };
        plan.states().map_err(|e| NoPlan::NotProved(e.to_string()))?;
        Ok(plan)
    }
}

/// What the recipe, the rendering and the way back warn of.
fn hazards(place: &Placed, forward: Vec<Hazard>, back: Vec<Hazard>) -> Vec<Hazard> {
    let all = [place.draft.hazards.clone(), forward, back].concat();
    let mut hazards = if place.comes_back { made_again(&place.draft.change, all) } else { all };
    hazards.sort();
    hazards.dedup();
    hazards
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

/// An id by content; two steps that are the same change get the same digits, so the later one is told apart by a count.
fn unique_id(change: &Kind, ids: &mut BTreeMap<StepId, usize>) -> StepId {
    let id = step_id(change);
    let same = ids.entry(id.clone()).or_default();
    *same += 1;
    if *same == 1 { id } else { StepId(format!("{id}-{same}")) }
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
