//! A plan for a terminal.

use mig_plan::{Class, Phase, Plan, Step, verify::When};

use super::{batch_words, changes, check_words, clean, probe_words, statements, summary, target, wrap::paragraph};

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// With ANSI colours.
    pub color: bool,
    /// With the SQL of every step, and with undos; else only that of critical ones.
    pub verbose: bool,
    /// Columns of a line.
    pub width: usize,
}

/// A plan as text: its steps by phase, each with its class, what for, what it locks and what could go wrong; then the checks, then
/// the probes, then a summary.
#[must_use]
pub fn text(plan: &Plan, style: &TextStyle) -> String {
    let mut out = format!("plan for {}\n", target(plan));
    let mut phase: Option<Phase> = None;
    for step in &plan.steps {
        if phase != Some(step.phase) {
            phase = Some(step.phase);
            let about = match step.phase {
                Phase::Expand => "adds what old clients do not notice",
                Phase::Backfill => "moves data, in batches",
                Phase::Switch => "flips names and definitions",
                Phase::Contract => "removes the old, and tightens",
            };
            out.push_str(&format!("\n{} - {about}\n", style.bold(step.phase.word())));
        }
        block(&mut out, step, style);
    }
    checks(&mut out, plan, style);
    declared(&mut out, plan, style);
    out.push_str(&format!("\n{}\n", summary(plan)));
    if !style.verbose && !plan.steps.is_empty() {
        let hint = "SQL is shown of critical steps only; --verbose shows that of every step, and the undos";
        paragraph(&mut out, "", hint, style.width);
    }
    out
}

fn block(out: &mut String, step: &Step, style: &TextStyle) {
    let mark = match step.class {
        Class::Critical => "!",
        Class::Warning => "~",
        Class::Routine => ".",
    };
    let mark = style.by_class(step.class, mark);
    let class = style.by_class(step.class, step.class.word());
    out.push_str(&format!("  {mark} {} [{class}]\n", style.bold(&clean::line(&step.id.0))));
    paragraph(out, "      ", &clean::line(&step.why), style.width);
    for change in changes(step) {
        paragraph(out, "        ", &clean::line(&change), style.width);
    }
    paragraph(out, "      lock: ", &clean::line(&step.lock), style.width);
    if let Some(batches) = batch_words(&step.action) {
        paragraph(out, "      rows: ", &clean::line(&batches), style.width);
    }
    for hazard in &step.hazards {
        let text = format!("{} {}: {}", hazard.code, clean::line(&hazard.at.to_string()), clean::line(&hazard.says));
        paragraph(out, "      hazard: ", &text, style.width);
    }
    if style.verbose || step.class == Class::Critical {
        for (part, statement) in statements(&step.action) {
            sql(out, part, &statement.sql(), style);
        }
    }
    if style.verbose {
        paragraph(out, "      undo: ", &clean::line(&step.undo.says), style.width);
        for (part, statement) in statements(&step.undo.action) {
            sql(out, part, &statement.sql(), style);
        }
    }
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
        insta::assert_snapshot!(text(&sample::plan(), &TextStyle { color: false, verbose: false, width: 100 }));
    }

    #[test]
    fn verbose() {
        insta::assert_snapshot!(text(&sample::plan(), &TextStyle { color: false, verbose: true, width: 72 }));
    }

    #[test]
    fn colours_change_nothing_else() {
        let plain = text(&sample::plan(), &TextStyle { color: false, verbose: true, width: 80 });
        let mut coloured = text(&sample::plan(), &TextStyle { color: true, verbose: true, width: 80 });
        for code in ["0", "1", "2", "1;31", "33", "32"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(coloured, plain);
    }
}
