//! How many people must have signed before a plan may run. It belongs to the executor's own configuration, never to a plan.

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distinct::{self, Candidate};
use super::pattern::PatternList;
use super::refusal::{Reason, Refusal};
use super::verify::Verdict;

/// The worst class among a plan's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worst {
    /// Nothing to decide.
    Routine,
    /// Safe if you know it.
    Warning,
    /// May lose data, stop clients, widen access or break them.
    Critical,
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Routine => "routine",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}

/// Who must sign. Table `[policy]` of `mig.toml`:
///
/// ```toml
/// [policy]
/// signers = 1
/// [policy.critical]
/// signers = 2
/// from = ["*@dba.example.com"]
/// ```
///
/// A worse plan never needs less than a milder one: it needs the largest `signers` of its class and the milder ones, and a
/// class without its own `from` has that of the next milder one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Distinct signers that any plan needs. One unless set; zero lets unsigned plans run.
    #[schemars(example = 1)]
    pub signers: u32,
    /// The principals whose signatures count. Anybody among the allowed signers unless set.
    #[schemars(with = "Option<Vec<String>>", example = ["*@example.com"])]
    pub from: Option<PatternList>,
    /// For plans of routine steps only.
    #[schemars(example = serde_json::json!({ "signers": 1 }))]
    pub routine: Rule,
    /// For plans whose worst step is a warning.
    #[schemars(example = serde_json::json!({ "signers": 1 }))]
    pub warning: Rule,
    /// For plans with a critical step.
    #[schemars(example = serde_json::json!({ "signers": 2, "from": ["*@dba.example.com"] }))]
    pub critical: Rule,
    /// Folders of source code in which no name may be left that a plan's contract takes away, before that contract begins.
    #[schemars(example = ["src", "jobs"])]
    pub scan: Vec<PathBuf>,
    /// Whether `mig gc` puts what runs kept into files, and reads them back, before it drops it for good.
    #[schemars(example = true)]
    pub backup: bool,
}

/// What one class needs beyond the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Distinct signers.
    #[schemars(example = 2)]
    pub signers: Option<u32>,
    /// The principals whose signatures count.
    #[schemars(with = "Option<Vec<String>>", example = ["*@dba.example.com"])]
    pub from: Option<PatternList>,
}

impl Default for Policy {
    fn default() -> Self {
        let (routine, warning, critical) = (Rule::default(), Rule::default(), Rule::default());
        Self { signers: 1, from: None, routine, warning, critical, scan: Vec::new(), backup: false }
    }
}

/// Enough people signed: these counted. Journalled with the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Distinct signers, in the order of their files.
    pub signers: Vec<Approver>,
}

/// One who counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// The principals of the allowed signers' line, as written there.
    pub principal: String,
    /// The key, as `SHA256:...`.
    pub fingerprint: String,
}

impl fmt::Display for Approver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.principal, self.fingerprint)
    }
}

impl Policy {
    /// How many distinct signers a plan of this class needs.
    #[must_use]
    pub fn needed(&self, worst: Worst) -> u32 {
        self.rules(worst).filter_map(|rule| rule.signers).fold(self.signers, u32::max)
    }

    /// The principals whose signatures count for a plan of this class; anybody among the allowed signers if there is none.
    #[must_use]
    pub fn needed_from(&self, worst: Worst) -> Option<&PatternList> {
        self.rules(worst).filter_map(|rule| rule.from.as_ref()).last().or(self.from.as_ref())
    }

    /// Weighs the verdicts over a plan's signatures.
    ///
    /// # Errors
    /// When a signature is bad, or when too few distinct people signed. The refusal says who counted and why others did not.
    pub fn decide(&self, worst: Worst, verdicts: &[Verdict]) -> Result<Approval, Refusal> {
        let bad: Vec<_> = verdicts
            .iter()
            .filter_map(|verdict| match verdict {
                Verdict::Bad { file, why } => Some(Reason { file: file.clone(), why: why.clone() }),
                _ => None,
            })
            .collect();
        if !bad.is_empty() {
            return Err(Refusal::Bad { files: bad });
        }
        let (needed, from) = (self.needed(worst), self.needed_from(worst));
        let (candidates, mut others) = sort(verdicts, from);
        let enough = usize::try_from(needed).unwrap_or(usize::MAX);
        let picks = distinct::choose(&candidates, enough);
        let signers: Vec<_> = picks
            .iter()
            .map(|pick| {
                let candidate = &candidates[pick.candidate];
                Approver {
                    principal: candidate.names[pick.name].to_string(),
                    fingerprint: candidate.fingerprint.clone(),
                }
            })
            .collect();
        if signers.len() >= enough {
            return Ok(Approval { signers });
        }
        others.extend(doubles(&candidates, &picks));
        Err(Refusal::TooFew { worst, needed, from: from.map(ToString::to_string), counted: signers, others })
    }

    /// The rules that hold for a class, mildest first.
    fn rules(&self, worst: Worst) -> impl Iterator<Item = &Rule> {
        [(Worst::Routine, &self.routine), (Worst::Warning, &self.warning), (Worst::Critical, &self.critical)]
            .into_iter()
            .filter_map(move |(class, rule)| (class <= worst).then_some(rule))
    }
}

/// Those who may count, and why the rest do not.
fn sort(verdicts: &[Verdict], from: Option<&PatternList>) -> (Vec<Candidate>, Vec<Reason>) {
    let (mut candidates, mut others) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        match verdict {
            Verdict::Good { file, principals, fingerprint } => {
                let names: Vec<_> =
                    principals.iter().filter(|names| from.is_none_or(|from| from.admits(names))).cloned().collect();
                if let (true, Some(from)) = (names.is_empty(), from) {
                    let who = principals.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                    others.push(Reason { file: file.clone(), why: format!("{who} is not among `{from}`") });
                } else {
                    candidates.push(Candidate { file: file.clone(), fingerprint: fingerprint.clone(), names });
                }
            }
            Verdict::Unknown { file, why, fingerprint } => {
                others.push(Reason { file: file.clone(), why: format!("{why} ({fingerprint})") });
            }
            Verdict::Bad { .. } => {}
        }
    }
    (candidates, others)
}

/// Why each candidate that was not picked counts no more.
fn doubles(candidates: &[Candidate], picks: &[distinct::Pick]) -> Vec<Reason> {
    let left = candidates.iter().enumerate().filter(|(at, _)| picks.iter().all(|pick| pick.candidate != *at));
    left.map(|(_, candidate)| {
        let same_key = picks.iter().find(|pick| candidates[pick.candidate].fingerprint == candidate.fingerprint);
        let why = match same_key {
            Some(pick) => format!("the same key as {}", candidates[pick.candidate].file),
            None => {
                let names = candidate.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                let other = picks.iter().find(|pick| {
                    candidate.names.iter().any(|mine| mine.meets(&candidates[pick.candidate].names[pick.name]))
                });
                let other = other.map_or("another", |pick| candidates[pick.candidate].file.as_str());
                format!("{names} counts once: it may be the signer of {other}")
            }
        };
        Reason { file: candidate.file.clone(), why }
    })
    .collect()
}
