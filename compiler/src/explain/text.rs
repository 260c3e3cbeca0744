//! A plan for a terminal.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Class, HazardCode, Phase, Plan, Step, verify::When};

use super::{
    Advice, Pages, about, backup_words, batch_words, changes, check_words, clean, dataset_words, noteworthy,
    probe_words, statements, summary, target, wrap::paragraph,
};

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// With ANSI colours.
    pub color: bool,
    /// With the lock, the SQL and the undo of every step; else only those of steps that a reviewer must know.
    pub verbose: bool,
    /// Columns of a line.
    pub width: usize,
}

/// A plan as text: what needs sign-off, then what is safe if one knows it, each with all that a reviewer asks; then every step in
/// order, by phase, a line each; then the checks and the probes.
#[must_use]
pub fn text(plan: &Plan, pages: Pages<'_>, style: &TextStyle) -> String {
    let mut out = format!("plan for {}\n{}\n", target(plan), summary(plan));
    let mut review = Review { style, pages, explained: BTreeMap::new() };
    for class in [Class::Critical, Class::Warning] {
        review.section(&mut out, plan, class);
    }
    phases(&mut out, plan, style);
    checks(&mut out, plan, style);
    declared(&mut out, plan, style);
    if !style.verbose && !plan.steps.is_empty() {
        let hint = "SQL is shown of critical steps only; --verbose shows that of every step, with locks and undos";
        out.push('\n');
        paragraph(&mut out, "", hint, style.width);
    }
    out
}

/// Writes what a reviewer reads of critical and warning steps.
struct Review<'a> {
    style: &'a TextStyle,
    pages: Pages<'a>,
    /// The codes whose advice was given, and at which step.
    explained: BTreeMap<HazardCode, &'a str>,
}

impl<'a> Review<'a> {
    fn section(&mut self, out: &mut String, plan: &'a Plan, class: Class) {
        let mut steps = noteworthy(plan, class).peekable();
        if steps.peek().is_none() {
            return;
        }
        let title = match class {
            Class::Critical => "needs sign-off",
            Class::Warning => "safe if you know it",
            Class::Routine => "nothing to decide",
        };
        out.push_str(&format!("\n{} - {title}\n", self.style.by_class(class, class.word())));
        steps.for_each(|step| self.step(out, step));
    }

    fn step(&mut self, out: &mut String, step: &'a Step) {
        let width = self.style.width;
        let mark = self.style.by_class(step.class, mark(step.class));
        out.push_str(&format!("  {mark} {} [{}]\n", self.style.bold(&clean::line(&step.id.0)), step.phase));
        paragraph(out, "      ", &clean::line(&step.why), width);
        for change in changes(step) {
            paragraph(out, "        ", &clean::line(&change), width);
        }
        for hazard in &step.hazards {
            let text =
                format!("{} {}: {}", hazard.code, clean::line(&hazard.at.to_string()), clean::line(&hazard.says));
            paragraph(out, "      hazard: ", &text, width);
        }
        paragraph(out, "      lock: ", &clean::line(&step.lock), width);
        if let Some(batches) = batch_words(&step.action) {
            paragraph(out, "      rows: ", &clean::line(&batches), width);
        }
        self.advice(out, step);
        paragraph(out, "      undo: ", &clean::line(&step.undo.says), width);
        if step.class == Class::Critical && !self.style.verbose {
            for (part, statement) in statements(&step.action) {
                sql(out, part, &statement.sql(), self.style);
            }
        }
    }

    /// What mig does about a step's hazards and what to check: once for each code, then a pointer to where it stands.
    fn advice(&mut self, out: &mut String, step: &'a Step) {
        let codes: BTreeSet<HazardCode> = step.hazards.iter().map(|hazard| hazard.code).collect();
        for code in codes {
            let advice = Advice::of(code, self.pages);
            if let Some(at) = self.explained.get(&code) {
                paragraph(out, "      check: ", &format!("{code}: as at {}", clean::line(at)), self.style.width);
                continue;
            }
            for (what, text) in [("      mig: ", advice.remedy), ("      check: ", advice.check)] {
                if !text.is_empty() {
                    paragraph(out, what, &text.replace('`', ""), self.style.width);
                }
            }
            self.explained.insert(code, &step.id.0);
        }
    }
}

/// Every step in order, by phase.
fn phases(out: &mut String, plan: &Plan, style: &TextStyle) {
    let mut phase: Option<Phase> = None;
    let digits = plan.steps.len().to_string().len();
    for (i, step) in plan.steps.iter().enumerate() {
        if phase != Some(step.phase) {
            phase = Some(step.phase);
            out.push_str(&format!("\n{} - {}\n", style.bold(step.phase.word()), about(step.phase)));
        }
        let mark = style.by_class(step.class, mark(step.class));
        out.push_str(&format!("  {mark} {:>digits$} {}", i + 1, style.bold(&clean::line(&step.id.0))));
        let used = 5 + digits + clean::line(&step.id.0).chars().count();
        let why = clean::line(&step.why);
        if style.verbose {
            out.push('\n');
            details(out, step, &why, style);
        } else if used + 12 <= style.width {
            out.push_str(&format!("  {}\n", cut(&why, style.width - used - 2)));
        } else {
            out.push('\n');
        }
    }
}

fn details(out: &mut String, step: &Step, why: &str, style: &TextStyle) {
    paragraph(out, "      ", why, style.width);
    if step.class == Class::Routine {
        for change in changes(step) {
            paragraph(out, "        ", &clean::line(&change), style.width);
        }
    }
    paragraph(out, "      lock: ", &clean::line(&step.lock), style.width);
    for (part, statement) in statements(&step.action) {
        sql(out, part, &statement.sql(), style);
    }
    paragraph(out, "      undo: ", &clean::line(&step.undo.says), style.width);
    for (part, statement) in statements(&step.undo.action) {
        sql(out, part, &statement.sql(), style);
    }
}

fn mark(class: Class) -> &'static str {
    match class {
        Class::Critical => "!",
        Class::Warning => "~",
        Class::Routine => ".",
    }
}

/// A text's beginning, as much as a line takes.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room { text.to_owned() } else { text.chars().take(room - 1).chain(['…']).collect() }
}

/// SQL is never wrapped: what is read is what runs.
fn sql(out: &mut String, part: Option<&str>, statement: &str, style: &TextStyle) {
    if let Some(part) = part {
        out.push_str(&format!("        {}\n", style.dim(&format!("-- {part}"))));
    }
    let cleaned = clean::lines(statement);
    let mut lines = cleaned.lines().peekable();
    while let Some(line) = lines.next() {
        let end = if lines.peek().is_none() { ";" } else { "" };
        out.push_str(&format!("        {}\n", style.dim(&format!("{line}{end}"))));
    }
}

fn checks(out: &mut String, plan: &Plan, style: &TextStyle) {
    if plan.checks.is_empty() {
        return;
    }
    out.push_str(&format!("\n{} - asked before the first write\n", style.bold("checks")));
    for check in &plan.checks {
        let weight = if check.stops { "stops the run" } else { "only warns" };
        let text = format!("{}: {} ({weight} otherwise)", clean::line(&check.at.to_string()), clean::line(&check.says));
        paragraph(out, "  ? ", &text, style.width);
        for help in &check.help {
            paragraph(out, "      help: ", &clean::line(help), style.width);
        }
        if style.verbose {
            sql(out, None, &check.count.sql(), style);
        }
    }
}

fn declared(out: &mut String, plan: &Plan, style: &TextStyle) {
    for (moment, title) in
        [(When::Before, "must hold before the first write"), (When::After, "must hold after the last step")]
    {
        let checks: Vec<_> = plan.declared.iter().filter(|check| check.when.includes(moment)).collect();
        if checks.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{} - {title}\n", style.bold("declared checks")));
        for check in checks {
            paragraph(out, "  ? ", &check_words(check, moment), style.width);
            if style.verbose {
                sql(out, None, &check.sql.sql(), style);
            }
        }
    }
    tried(out, plan, style);
    if !plan.backups.is_empty() {
        let title = style.bold("backups");
        out.push_str(&format!("\n{title} - written into files and read back before the first write\n"));
    }
    for backup in &plan.backups {
        paragraph(out, "  > ", &backup_words(backup), style.width);
        if style.verbose {
            sql(out, None, &backup.sql.sql(), style);
        }
    }
    if plan.datasets.is_empty() {
        return;
    }
    out.push_str(&format!("\n{} - filed as evidence\n", style.bold("datasets")));
    for dataset in &plan.datasets {
        paragraph(out, "  = ", &dataset_words(dataset), style.width);
        if style.verbose {
            sql(out, None, &dataset.sql.sql(), style);
        }
    }
}

fn tried(out: &mut String, plan: &Plan, style: &TextStyle) {
    if plan.probes.is_empty() {
        return;
    }
    out.push_str(&format!("\n{} - tried after the last step, and rolled back\n", style.bold("probes")));
    for probe in &plan.probes {
        paragraph(out, "  ? ", &probe_words(probe), style.width);
        if style.verbose {
            probe.given.iter().chain(&probe.sql).for_each(|statement| sql(out, None, &statement.sql(), style));
        }
    }
}

impl TextStyle {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn by_class(&self, class: Class, text: &str) -> String {
        self.paint(
            match class {
                Class::Critical => "1;31",
                Class::Warning => "33",
                Class::Routine => "32",
            },
            text,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn short() {
        insta::assert_snapshot!(text(
            &sample::plan(),
            &sample::pages,
            &TextStyle { color: false, verbose: false, width: 100 }
        ));
    }

    #[test]
    fn verbose() {
        insta::assert_snapshot!(text(
            &sample::plan(),
            &sample::pages,
            &TextStyle { color: false, verbose: true, width: 72 }
        ));
    }

    #[test]
    fn colours_change_nothing_else() {
        let plain = text(&sample::plan(), &sample::pages, &TextStyle { color: false, verbose: true, width: 80 });
        let mut coloured = text(&sample::plan(), &sample::pages, &TextStyle { color: true, verbose: true, width: 80 });
        for code in ["0", "1", "2", "1;31", "33", "32"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(coloured, plain);
    }
}
