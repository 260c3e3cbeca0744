//! A plan for a pull request.

mod escape;

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Class, HazardCode, Phase, Plan, Step, verify::When};

use self::escape::{cell, code, escape, fence};
use super::{
    Advice, Pages, about, backup_words, batch_words, changes, check_words, clean, dataset_words, graph::shortened,
    noteworthy, probe_words, statements, summary, target,
};

/// The longest text, in bytes: code hosts refuse comments of more than 65,536 characters.
const LONGEST: usize = 60_000;
/// Kept free for what says how much was left out.
const RESERVE: usize = 500;
/// The most that the critical steps take as rows of a table; more of them are a list of names.
const TABLE: usize = 30_000;
/// The most that such a list takes.
const NAMES: usize = 50_000;

/// A plan as Markdown: a summary, the critical and the warning steps with their reasons, what mig does about each code and what to
/// check, and the SQL folded away. Never longer than a comment on a code host may be. Every critical step is named, with its name
/// shortened where there are very many; what else has no room is said to be left out.
#[must_use]
pub fn markdown(plan: &Plan, pages: Pages<'_>) -> String {
    let mut page = Page { text: String::new(), left_out: 0 };
    page.text.push_str(&format!("### mig plan for {}\n\n**{}**\n", escape(&target(plan)), summary(plan)));
    counts(&mut page.text, plan);
    critical(&mut page, plan);
    codes(&mut page, plan, pages, Class::Critical);
    warnings(&mut page, plan);
    codes(&mut page, plan, pages, Class::Warning);
    checks(&mut page, plan);
    declared(&mut page, plan);
    if !plan.steps.is_empty() {
        page.text.push_str("\n#### Steps\n\n");
        for (i, step) in plan.steps.iter().enumerate() {
            page.push(&details(i, step));
        }
    }
    if page.left_out > 0 {
        let left = page.left_out;
        page.text.push_str(&format!("\n{left} more entries are left out here: `mig show PLAN` prints everything.\n"));
    }
    page.text
}

/// Text that grows up to its limit.
struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    fn push(&mut self, part: &str) {
        if self.text.len() + part.len() + RESERVE > LONGEST {
            self.left_out += 1;
        } else {
            self.text.push_str(part);
        }
    }
}

/// How many steps of each class there are in each phase.
fn counts(out: &mut String, plan: &Plan) {
    if plan.steps.is_empty() {
        return;
    }
    out.push_str("\n| phase | critical | warning | routine |\n|---|---:|---:|---:|\n");
    for phase in Phase::ALL {
        let of = |class| plan.steps.iter().filter(|step| step.phase == phase && step.class == class).count();
        let (critical, warning, routine) = (of(Class::Critical), of(Class::Warning), of(Class::Routine));
        if critical + warning + routine > 0 {
            out.push_str(&format!("| **{phase}**: {} | {critical} | {warning} | {routine} |\n", about(phase)));
        }
    }
}

const COLUMNS: &str =
    "| step | phase | what could go wrong, and for whom | lock: who waits | undo |\n|---|---|---|---|---|\n";

fn critical(page: &mut Page, plan: &Plan) {
    let steps: Vec<_> = numbered(plan, Class::Critical).collect();
    if steps.is_empty() {
        return;
    }
    page.text.push_str("\n#### Critical: needs sign-off\n\n");
    let rows: Vec<_> = steps.iter().map(|(i, step)| row(*i, step)).collect();
    if rows.iter().map(String::len).sum::<usize>() <= TABLE {
        page.text.push_str(COLUMNS);
        rows.iter().for_each(|row| page.text.push_str(row));
        return;
    }
    page.text.push_str("They are too many for a table here; `mig show PLAN` says what each of them risks.\n");
    for room in [usize::MAX, 60, 40, 30, 24, 18, 12, 8] {
        let names = by_codes(&steps, room);
        if page.text.len() + names.len() <= NAMES {
            page.text.push_str(&names);
            return;
        }
    }
    for (_, step) in &steps {
        page.push(&format!("{} ", hash(step)));
    }
    page.text.push('\n');
}

/// The names of steps, those with the same codes together.
fn by_codes(steps: &[(usize, &Step)], room: usize) -> String {
    let mut groups: BTreeMap<BTreeSet<HazardCode>, Vec<&Step>> = BTreeMap::new();
    for (_, step) in steps {
        groups.entry(step.hazards.iter().map(|h| h.code).collect()).or_default().push(step);
    }
    let mut out = String::new();
    for (codes, steps) in groups {
        let titles: Vec<_> = codes.iter().map(|code| format!("**{code}** {}", code.title())).collect();
        let names: Vec<_> = steps.iter().map(|step| name(step, room)).collect();
        out.push_str(&format!("\n{} ({}):\n{}\n", titles.join("; "), steps.len(), names.join(" ")));
    }
    out
}

/// A step's id with its address shortened; its hash stays whole.
fn name(step: &Step, room: usize) -> String {
    let id = clean::line(&step.id.0);
    let (address, _) = id.rsplit_once('-').unwrap_or((&id, ""));
    if id.chars().count() <= room { code(&id) } else { format!("{}-{}", code(&shortened(address, room)), hash(step)) }
}

fn hash(step: &Step) -> &str {
    step.id.0.rsplit_once('-').map_or(step.id.0.as_str(), |(_, hash)| hash)
}

fn numbered(plan: &Plan, class: Class) -> impl Iterator<Item = (usize, &Step)> {
    plan.steps.iter().enumerate().filter(move |(_, step)| step.class == class)
}

fn warnings(page: &mut Page, plan: &Plan) {
    if noteworthy(plan, Class::Warning).next().is_none() {
        return;
    }
    page.push(&format!("\n#### Warnings: safe if you know it\n\n{COLUMNS}"));
    for (i, step) in numbered(plan, Class::Warning) {
        page.push(&row(i, step));
    }
}

fn row(i: usize, step: &Step) -> String {
    let hazards: Vec<_> = step
        .hazards
        .iter()
        .map(|hazard| format!("**{}** {}: {}", hazard.code, code(&hazard.at.to_string()), cell(&hazard.says)))
        .collect();
    format!(
        "| [{}](#step-{})<br>{} | {} | {} | {} | {} |\n",
        code(&step.id.0),
        i + 1,
        cell(&step.why),
        step.phase,
        hazards.join("<br>"),
        cell(&step.lock),
        cell(&step.undo.says)
    )
}

/// What mig does about each code and what to check, once for each code of the class.
fn codes(page: &mut Page, plan: &Plan, pages: Pages<'_>, class: Class) {
    let codes: BTreeSet<_> = plan.steps.iter().flat_map(|s| &s.hazards).map(|h| h.code).collect();
    let mut out = String::new();
    for code in codes.into_iter().filter(|code| code.class() == class) {
        let advice = Advice::of(code, pages);
        out.push_str(&format!("- **{code}** {}. ", code.title()));
        for (what, text) in [("What mig does", advice.remedy), ("Check", advice.check)] {
            if !text.is_empty() {
                out.push_str(&format!("*{what}:* {} ", escape(&clean::line(&text.replace('\n', " ")))));
            }
        }
        out.push('\n');
    }
    if !out.is_empty() {
        page.push(&format!("\n{out}"));
    }
}

fn checks(page: &mut Page, plan: &Plan) {
    if plan.checks.is_empty() {
        return;
    }
    page.push("\n#### Asked before the first write\n\n");
    for check in &plan.checks {
        let weight = if check.stops { "stops the run" } else { "only warns" };
        page.push(&format!("- {}: {} ({weight} otherwise)\n", code(&check.at.to_string()), cell(&check.says)));
    }
}

fn declared(page: &mut Page, plan: &Plan) {
    for (moment, title) in
        [(When::Before, "Must hold before the first write"), (When::After, "Must hold after the last step")]
    {
        let mut checks = plan.declared.iter().filter(|check| check.when.includes(moment)).peekable();
        if checks.peek().is_some() {
            page.push(&format!("\n#### {title}\n\n"));
        }
        for check in checks {
            let mut entry = format!("- {}\n", cell(&check_words(check, moment)));
            folded(&mut entry, [&check.sql]);
            page.push(&entry);
        }
    }
    if !plan.probes.is_empty() {
        page.push("\n#### Tried after the last step, and rolled back\n\n");
    }
    for probe in &plan.probes {
        let mut entry = format!("- {}\n", cell(&probe_words(probe)));
        folded(&mut entry, probe.given.iter().chain(&probe.sql));
        page.push(&entry);
    }
    if !plan.backups.is_empty() {
        page.push("\n#### Written into files and read back before the first write\n\n");
    }
    for backup in &plan.backups {
        let mut entry = format!("- {}\n", cell(&backup_words(backup)));
        folded(&mut entry, [&backup.sql]);
        page.push(&entry);
    }
    if !plan.datasets.is_empty() {
        page.push("\n#### Filed as evidence\n\n");
    }
    for dataset in &plan.datasets {
        let mut entry = format!("- {}\n", cell(&dataset_words(dataset)));
        folded(&mut entry, [&dataset.sql]);
        page.push(&entry);
    }
}

/// SQL inside an entry of a list.
fn folded<'a>(entry: &mut String, statements: impl IntoIterator<Item = &'a mig_plan::Statement>) {
    let statements: Vec<_> = statements.into_iter().map(|statement| (None, statement)).collect();
    for line in fence(&statements).lines() {
        entry.push_str(if line.is_empty() { "" } else { "  " });
        entry.push_str(line);
        entry.push('\n');
    }
}

fn details(i: usize, step: &Step) -> String {
    let mut out = format!(
        "<details><summary><a id=\"step-{}\"></a>{} {} {}</summary>\n\n{}\n",
        i + 1,
        step.phase,
        step.class,
        code(&step.id.0),
        escape(&clean::line(&step.why))
    );
    let changed = changes(step);
    if !changed.is_empty() {
        let lines: String = changed.iter().map(|change| format!("- {}\n", code(change))).collect();
        out.push_str(&format!("\n{lines}"));
    }
    out.push_str(&format!("\nLock: {}\n", escape(&clean::line(&step.lock))));
    if let Some(batches) = batch_words(&step.action) {
        out.push_str(&format!("\n{}\n", escape(&clean::line(&batches))));
    }
    out.push_str(&fence(&statements(&step.action)));
    out.push_str(&format!("\nUndo: {}\n", escape(&clean::line(&step.undo.says))));
    out.push_str(&fence(&statements(&step.undo.action)));
    out.push_str("\n</details>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn page() {
        insta::assert_snapshot!(markdown(&sample::plan(), &sample::pages));
    }

    #[test]
    fn a_big_plan_stays_small_and_says_what_is_left_out() {
        let mut plan = sample::plan();
        let steps = plan.steps.clone();
        plan.steps = steps.iter().cycle().take(5_000).cloned().collect();
        plan.steps[0].why = "w".repeat(200_000);
        let text = markdown(&plan, &sample::pages);
        assert!(text.len() < LONGEST, "{}", text.len());
        assert!(text.contains("more entries are left out"));
    }

    #[test]
    fn every_critical_step_is_named_however_many_there_are() {
        for (steps, all_whole) in [(140, true), (2_000, true), (14_000, false)] {
            let plan = sample::large(steps, 40);
            let text = markdown(&plan, &sample::pages);
            assert!(text.len() <= LONGEST, "{steps}: {}", text.len());
            for step in noteworthy(&plan, Class::Critical) {
                let whole = code(&step.id.0);
                assert!(text.contains(if all_whole { &whole } else { hash(step) }), "{steps}: {}", step.id);
            }
        }
    }
}
