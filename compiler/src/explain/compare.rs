//! What became of a plan: in words first, then as text.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Plan, Step, StepId, plan::Summary};
use similar::TextDiff;

use super::{clean, statements};

/// The differences between two plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// In words, a line each; empty if the plans are the same to the byte.
    pub words: Vec<String>,
    /// As the lines of the plan files that differ, step by step.
    pub text: String,
}

impl Difference {
    /// The words, and the text below them.
    #[must_use]
    pub fn both(&self) -> String {
        let mut out: String = self.words.iter().map(|line| format!("{line}\n")).collect();
        if !self.text.is_empty() {
            out.push_str(&format!("\n{}", self.text));
        }
        out
    }
}

/// Compares two plans. A step is the same one if its id is; where one went and one came of the same kind at the same place, it is that
/// one with another content.
#[must_use]
pub fn compare(old: &Plan, new: &Plan) -> Difference {
    let pairs = Pairs::of(old, new);
    let mut found = Difference::default();
    found.words.push(String::new());
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    for step in &pairs.dropped {
        *tally.entry("dropped").or_default() += 1;
        found.words.push(format!("- {} [{}] {}", clean::line(&step.id.0), step.class, clean::line(&step.why)));
    }
    for step in &pairs.added {
        *tally.entry("added").or_default() += 1;
        found.words.push(format!("+ {} [{}] {}", clean::line(&step.id.0), step.class, clean::line(&step.why)));
    }
    for (was, is) in &pairs.kept {
        let what = changed(was, is);
        if what.is_empty() {
            *tally.entry("unchanged").or_default() += 1;
            continue;
        }
        if was.class != is.class {
            *tally.entry("reclassified").or_default() += 1;
        }
        if sql(was) != sql(is) {
            *tally.entry("with other SQL").or_default() += 1;
        }
        *tally.entry("changed").or_default() += 1;
        let renamed = if was.id == is.id { String::new() } else { format!(" (was {})", clean::line(&was.id.0)) };
        found.words.push(format!("~ {}{renamed}: {}", clean::line(&is.id.0), what.join("; ")));
        let header = format!("{}", is.id);
        found.text.push_str(&lines(&pretty(was), &pretty(is), &header));
    }
    found.words.extend(header(old, new));
    if pairs.reordered(old) {
        found.words.push("the steps that both have come in another order".to_owned());
    }
    if old.checks != new.checks {
        found.words.push(checks(old, new));
        found.text.push_str(&lines(&pretty(&old.checks), &pretty(&new.checks), "checks"));
    }
    if (&old.declared, &old.probes) != (&new.declared, &new.probes) {
        found.words.push("the checks and probes that the specs declare differ".to_owned());
        let was = format!("{}{}", pretty(&old.declared), pretty(&old.probes));
        found.text.push_str(&lines(&was, &format!("{}{}", pretty(&new.declared), pretty(&new.probes)), "declared"));
    }
    if old.backups != new.backups {
        found.words.push("the backups differ".to_owned());
        found.text.push_str(&lines(&pretty(&old.backups), &pretty(&new.backups), "backups"));
    }
    if old.datasets != new.datasets {
        found.words.push("the datasets that are filed as evidence differ".to_owned());
        found.text.push_str(&lines(&pretty(&old.datasets), &pretty(&new.datasets), "datasets"));
    }
    if old.footprint != new.footprint && old.base == new.base {
        found.words.push("what must be there before the first step differs".to_owned());
    }
    let order = ["added", "dropped", "changed", "reclassified", "with other SQL", "unchanged"];
    let counts: Vec<_> = order.iter().filter_map(|w| tally.get(w).map(|n| format!("{n} {w}"))).collect();
    found.words[0] = format!("steps: {}", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") });
    if old == new { Difference::default() } else { found }
}

/// The plan without its steps and checks, to compare with where there is no other.
#[must_use]
pub fn empty(plan: &Plan) -> Plan {
    let (steps, checks, declared) = (Vec::new(), Vec::new(), Vec::new());
    let (probes, datasets, backups) = (Vec::new(), Vec::new(), Vec::new());
    Plan {
        summary: Summary::default(),
        goal: plan.base.clone(),
        steps,
        checks,
        declared,
        probes,
        datasets,
        backups,
        ..plan.clone()
    }
}

/// Steps of two plans, put together.
struct Pairs<'a> {
    kept: Vec<(&'a Step, &'a Step)>,
    dropped: Vec<&'a Step>,
    added: Vec<&'a Step>,
}

impl<'a> Pairs<'a> {
    fn of(old: &'a Plan, new: &'a Plan) -> Self {
        let (was, is) = (by_id(old), by_id(new));
        let gone = |step: &&Step| !is.contains_key(&step.id);
        let come = |step: &&Step| !was.contains_key(&step.id);
        let (went, came) = (by_place(old.steps.iter().filter(gone)), by_place(new.steps.iter().filter(come)));
        let (mut kept, mut added, mut reworked) = (Vec::new(), Vec::new(), BTreeSet::new());
        for step in &new.steps {
            let at = place(step);
            match (was.get(&step.id), went.get(&at).map(Vec::as_slice), came.get(&at).map(Vec::len)) {
                (Some(before), ..) => kept.push((*before, step)),
                (None, Some([before]), Some(1)) => {
                    kept.push((*before, step));
                    reworked.insert(before.id.clone());
                }
                _ => added.push(step),
            }
        }
        let dropped = old.steps.iter().filter(gone).filter(|step| !reworked.contains(&step.id)).collect();
        Self { kept, dropped, added }
    }

    /// Whether the steps that both plans have come in another order; `kept` is in the new one's.
    fn reordered(&self, old: &Plan) -> bool {
        let place: BTreeMap<&StepId, usize> = old.steps.iter().enumerate().map(|(i, step)| (&step.id, i)).collect();
        !self.kept.iter().map(|(was, _)| place[&was.id]).is_sorted()
    }
}

fn by_id(plan: &Plan) -> BTreeMap<&StepId, &Step> {
    plan.steps.iter().map(|step| (&step.id, step)).collect()
}

/// What a step does and to what, whatever its content.
fn place(step: &Step) -> (&str, Address) {
    (&step.kind, step.change.address())
}

fn by_place<'a>(steps: impl Iterator<Item = &'a Step>) -> BTreeMap<(&'a str, Address), Vec<&'a Step>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    steps.for_each(|step| found.entry(place(step)).or_default().push(step));
    found
}

/// In what a step differs, in words.
fn changed(was: &Step, is: &Step) -> Vec<String> {
    let mut what = Vec::new();
    if was.class != is.class {
        what.push(format!("reclassified, {} to {}", was.class, is.class));
    }
    let codes = |step: &Step| step.hazards.iter().map(|h| h.code).collect::<BTreeSet<_>>();
    let (old, new) = (codes(was), codes(is));
    what.extend(new.difference(&old).map(|code| format!("now {code}, {}", code.title())));
    what.extend(old.difference(&new).map(|code| format!("no longer {code}, {}", code.title())));
    if old == new && was.hazards != is.hazards {
        what.push("its hazards say something else".to_owned());
    }
    if was.phase != is.phase {
        what.push(format!("phase {} to {}", was.phase, is.phase));
    }
    if sql(was) != sql(is) {
        what.push("other SQL".to_owned());
    } else if was.action != is.action {
        what.push("other limits or batches".to_owned());
    }
    if was.undo != is.undo {
        what.push("another undo".to_owned());
    }
    if was.lock != is.lock {
        what.push(format!("lock: {}", clean::line(&is.lock)));
    }
    if was.needs != is.needs {
        what.push("waits for other steps".to_owned());
    }
    if (&was.before, &was.after) != (&is.before, &is.after) {
        what.push("begins or ends in another state".to_owned());
    }
    if what.is_empty() && was != is {
        what.push("details".to_owned());
    }
    what
}

fn sql(step: &Step) -> Vec<String> {
    statements(&step.action).into_iter().map(|(_, statement)| statement.sql()).collect()
}

fn header(old: &Plan, new: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut told = |differs: bool, says: String| lines.extend(differs.then_some(says));
    told(old.base != new.base, "base: they begin at different states of the database".to_owned());
    told(old.goal != new.goal, "goal: they end at different states of the database".to_owned());
    told(old.specs != new.specs, "specs: they were made from different specs".to_owned());
    told(old.compiler != new.compiler, format!("compiler: {} to {}", old.compiler, new.compiler));
    let target = |plan: &Plan| super::target(plan);
    told(old.target != new.target, format!("target: {} to {}", target(old), target(new)));
    lines
}

fn checks(old: &Plan, new: &Plan) -> String {
    let (was, is): (BTreeSet<_>, BTreeSet<_>) = (old.checks.iter().collect(), new.checks.iter().collect());
    format!("checks: {} added, {} dropped", is.difference(&was).count(), was.difference(&is).count())
}

fn lines(was: &str, is: &str, title: &str) -> String {
    TextDiff::from_lines(was, is).unified_diff().context_radius(2).header(title, title).to_string()
}

fn pretty<T: serde::Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("the model's types always encode");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use mig_plan::{Action, Class, Statement, plan::summarize};

    use super::{super::sample, *};

    #[test]
    fn nothing_differs() {
        assert_eq!(compare(&sample::plan(), &sample::plan()), Difference::default());
    }

    #[test]
    fn words_come_first() {
        let old = sample::plan();
        let mut new = sample::plan();
        new.steps.remove(0);
        let Action::Transaction(transaction) = &mut new.steps[1].action else { panic!("it is a transaction") };
        transaction.sql = vec![Statement::new("SELECT 2")];
        new.steps[0].hazards.clear();
        new.steps[0].class = Class::Routine;
        new.steps.swap(0, 1);
        new.summary = summarize(&new.steps);
        let found = compare(&old, &new);
        let words = [
            "steps: 1 dropped, 2 changed, 1 reclassified, 1 with other SQL",
            "- public.users.full_name/add-column-5fe6 [routine] the specs declare column full_name",
            "~ public.users.\"na|me`\"/drop-column-2ce5: other SQL",
            "~ public.users.full_name/backfill-7c1e: reclassified, warning to routine; no longer MIG-H011, updates every row, \
             batch by batch",
            "the steps that both have come in another order",
        ];
        assert_eq!(found.words, words);
        assert!(found.text.contains("\n+          \"SELECT 2\"\n"), "{}", found.text);
    }

    #[test]
    fn a_step_with_another_content_is_the_same_step() {
        let old = sample::plan();
        let mut new = sample::plan();
        new.steps[2].id = StepId("public.users.x/drop-column-ffff".to_owned());
        let found = compare(&old, &new);
        assert!(
            found.words.iter().any(|line| line.starts_with("~ public.users.x/drop-column-ffff (was ")),
            "{found:?}"
        );
    }
}
