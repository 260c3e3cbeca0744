//! The plan file: one JSON document, deterministic to the byte, read strictly.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    address::Address,
    backup::Backup,
    fingerprint::Fingerprint,
    hazard::{Class, class_of},
    kind::{Impossible, Kind},
    schema::{Object, Schema},
    states::States,
    step::{Statement, Step, StepId},
    verify::{Dataset, DeclaredCheck, DeclaredProbe},
};

/// The format that this version writes and reads.
pub const PLAN_FORMAT: &str = "mig-plan/1";

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_FORMAT`].
    pub format: String,
    /// The compiler and its version.
    pub compiler: String,
    /// What kind of database it is for.
    pub target: Target,
    /// Fingerprint of the footprint before.
    pub base: Fingerprint,
    /// Fingerprint of the footprint after.
    pub goal: Fingerprint,
    /// Fingerprint of the resolved specs.
    pub specs: Fingerprint,
    /// How many steps there are of each class.
    pub summary: Summary,
    /// Queries that are asked before the first write.
    pub checks: Vec<Check>,
    /// What the specs say must hold of the data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<DeclaredCheck>,
    /// What the database must take or refuse in the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<DeclaredProbe>,
    /// Rows that are filed as evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<Dataset>,
    /// Rows that are put into files before the first write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backups: Vec<Backup>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What must be there, and what must not, before the first step: the objects touched and what depends on them.
    pub footprint: Vec<Footing>,
}

/// The kind of database that a plan is for; never where one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The name given with `--target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The engine.
    pub engine: String,
    /// The server's version as far as it decides what SQL means.
    pub version: String,
}

/// Steps by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// How many are critical.
    pub critical: usize,
    /// How many are warnings.
    pub warning: usize,
    /// How many are routine.
    pub routine: usize,
}

/// A question about the data, asked before the first write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Which step it is for.
    pub step: StepId,
    /// About what.
    pub at: Address,
    /// What must hold, in a sentence.
    pub says: String,
    /// What a person can do if it does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// Counts what is wrong: one row, one integer; `0` passes.
    pub count: CheckSql,
    /// Shows a few of the wrong rows by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<CheckSql>,
    /// Whether a count above `0` stops the run. An advising check only warns: the constraint itself decides later.
    pub stops: bool,
    /// The greatest count that passes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub at_most: u64,
    /// Whether it is asked only before the first step: later the names in it mean something else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The SQL of a check, as lines. Ordered by text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckSql(Vec<String>);

impl CheckSql {
    /// From a text.
    pub fn new(sql: impl AsRef<str>) -> Self {
        Self(Statement::new(sql).lines().to_vec())
    }

    /// The text.
    #[must_use]
    pub fn sql(&self) -> String {
        self.0.join("\n")
    }
}

/// One object of the footprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footing {
    /// Where.
    pub at: Address,
    /// What stands there; `None` if nothing may.
    pub object: Option<Arc<Object>>,
    /// What depended on it when the plan was made: something new there means that the plan does not know the whole.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dependents: BTreeSet<Address>,
}

/// Why bytes are no plan that this version can carry out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// It is not JSON of the right shape.
    #[error("not a mig plan: {0}")]
    Shape(String),
    /// Another version wrote it.
    #[error(
        "its format is `{0}`; this mig reads `{PLAN_FORMAT}`: install the mig that wrote it (its `compiler` field names it)"
    )]
    Format(String),
    /// It reads, but its bytes are not what writing it gives.
    #[error("it was edited or reformatted: its bytes are not what mig writes for its content")]
    Bytes,
    /// Its steps do not follow from each other.
    #[error("its steps contradict each other at `{step}`: {why}")]
    Broken {
        /// At which step.
        step: StepId,
        /// In which way.
        why: String,
    },
    /// Its header does not match its steps.
    #[error("its `{0}` does not match its steps")]
    Header(&'static str),
}

impl Plan {
    /// The bytes of the plan file: JSON with two spaces of indent and a final newline.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("the model's types always encode");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a plan file strictly and checks that it is consistent: bytes, stamps, classes, base and goal.
    ///
    /// # Errors
    /// [`BadPlan`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadPlan> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|e| BadPlan::Shape(e.to_string()))?;
        if head.format != PLAN_FORMAT {
            return Err(BadPlan::Format(head.format));
        }
        let plan: Self = serde_json::from_slice(bytes).map_err(|e| BadPlan::Shape(e.to_string()))?;
        if plan.to_bytes() != bytes {
            return Err(BadPlan::Bytes);
        }
        plan.states()?;
        Ok(plan)
    }

    /// The fingerprint of the plan file.
    #[must_use]
    pub fn digest(&self) -> Fingerprint {
        Fingerprint::of_bytes(&self.to_bytes())
    }

    /// The footprint as a schema, as it is before the first step.
    #[must_use]
    pub fn base_schema(&self) -> Schema {
        let objects = self.footprint.iter().filter_map(|f| Some((f.at.clone(), f.object.clone()?)));
        Schema { objects: objects.collect() }
    }

    /// The addresses of the footprint.
    #[must_use]
    pub fn reserved(&self) -> BTreeSet<Address> {
        self.footprint.iter().map(|f| f.at.clone()).collect()
    }

    /// The worst class of any step.
    #[must_use]
    pub fn class(&self) -> Class {
        self.steps.iter().map(|s| s.class).max().unwrap_or(Class::Routine)
    }

    /// The line of states: the footprint before the first step, then after each. Proves on the way that every stamp,
    /// class and header is what the steps say.
    ///
    /// # Errors
    /// [`BadPlan::Broken`] or [`BadPlan::Header`].
    pub fn states(&self) -> Result<States, BadPlan> {
        if base_fingerprint(&self.footprint) != self.base {
            return Err(BadPlan::Header("base"));
        }
        let mut states = States::new(self.base_schema());
        let (reserved, mut known) = (self.reserved(), BTreeSet::new());
        for step in &self.steps {
            let broken = |why: String| BadPlan::Broken { step: step.id.clone(), why };
            let touched = step.change.touches(states.last());
            if let Some(stranger) = touched.difference(&reserved).next() {
                return Err(broken(format!("{stranger} is not in the footprint")));
            }
            let before = stamp(states.last(), &touched);
            states.push(&step.change).map_err(|e: Impossible| broken(e.to_string()))?;
            if before != step.before || stamp(states.last(), &touched) != step.after {
                return Err(broken("its stamps are not those of its change".to_owned()));
            }
            if class_of(&step.hazards) != step.class || step.kind != step.change.slug() {
                return Err(broken("its class or kind is not what its hazards and change say".to_owned()));
            }
            if !known.insert(step.id.clone()) || step.needs.iter().any(|n| !known.contains(&n.step)) {
                return Err(broken("its id is taken, or it stands before a step that it needs".to_owned()));
            }
        }
        if stamp(states.last(), &reserved) != self.goal {
            return Err(BadPlan::Header("goal"));
        }
        if summarize(&self.steps) != self.summary {
            return Err(BadPlan::Header("summary"));
        }
        Ok(states)
    }
}

/// The fingerprint of some objects of a schema, absent ones included.
#[must_use]
pub fn stamp(schema: &Schema, of: &BTreeSet<Address>) -> Fingerprint {
    let shapes: BTreeMap<&Address, Option<&Arc<Object>>> = of.iter().map(|at| (at, schema.objects.get(at))).collect();
    Fingerprint::of(&shapes)
}

/// The fingerprint of a footprint.
#[must_use]
pub fn base_fingerprint(footprint: &[Footing]) -> Fingerprint {
    Fingerprint::of(footprint)
}

/// Counts steps by class.
#[must_use]
pub fn summarize(steps: &[Step]) -> Summary {
    let count = |class| steps.iter().filter(|s| s.class == class).count();
    Summary { critical: count(Class::Critical), warning: count(Class::Warning), routine: count(Class::Routine) }
}

/// The id of a step: where, what, and four hex digits of the change itself.
#[must_use]
pub fn step_id(change: &Kind) -> StepId {
    StepId(format!("{}/{}-{}", change.address().dotted(), change.slug(), Fingerprint::of(change).short(4)))
}
