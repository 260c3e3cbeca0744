//! A plan for a pull request.

use mig_plan::{Class, Plan, Step, verify::When};

use super::{batch_words, changes, check_words, clean, noteworthy, probe_words, statements, summary, target};

/// The longest text, in bytes: code hosts refuse comments of more than 65,536 characters.
const LONGEST: usize = 60_000;
/// Kept free for what says how much was left out.
const RESERVE: usize = 500;
/// The longest cell of a table, in characters.
const CELL: usize = 600;

/// A plan as Markdown: a summary, a table of the critical and warning steps, and the SQL folded away. Never longer than a comment
/// on a code host may be; what is left out is said.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    let mut page = Page { text: String::new(), left_out: 0 };
    page.text.push_str(&format!("### mig plan for {}\n\n**{}**\n", escape(&target(plan)), summary(plan)));
    for class in [Class::Critical, Class::Warning] {
        table(&mut page, plan, class);
    }
    checks(&mut page, plan);
    declared(&mut page, plan);
    if !plan.steps.is_empty() {
        page.text.push_str("\n#### Steps\n\n");
        for step in &plan.steps {
            page.push(&details(step));
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

fn table(page: &mut Page, plan: &Plan, class: Class) {
    let mut steps = noteworthy(plan, class).peekable();
    if steps.peek().is_none() {
        return;
    }
    let title = match class {
        Class::Critical => "Critical: needs sign-off",
        Class::Warning => "Warnings: safe if you know it",
        Class::Routine => "Routine",
    };
    page.text
        .push_str(&format!("\n#### {title}\n\n| step | phase | what could go wrong | lock |\n|---|---|---|---|\n"));
    for step in steps {
        let hazards: Vec<_> = step
            .hazards
            .iter()
            .map(|hazard| format!("**{}** {}: {}", hazard.code, code(&hazard.at.to_string()), cell(&hazard.says)))
            .collect();
        let row = format!(
            "| {}<br>{} | {} | {} | {} |\n",
            code(&step.id.0),
            cell(&step.why),
            step.phase,
            hazards.join("<br>"),
            cell(&step.lock)
        );
        page.push(&row);
    }
}

fn checks(page: &mut Page, plan: &Plan) {
    if plan.checks.is_empty() {
        return;
    }
    page.text.push_str("\n#### Asked before the first write\n\n");
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
            page.text.push_str(&format!("\n#### {title}\n\n"));
        }
        for check in checks {
            let mut entry = format!("- {}\n", cell(&check_words(check, moment)));
            folded(&mut entry, [&check.sql]);
            page.push(&entry);
        }
    }
    if !plan.probes.is_empty() {
        page.text.push_str("\n#### Tried after the last step, and rolled back\n\n");
    }
    for probe in &plan.probes {
        let mut entry = format!("- {}\n", cell(&probe_words(probe)));
        folded(&mut entry, probe.given.iter().chain(&probe.sql));
        page.push(&entry);
    }
}

/// SQL inside an entry of a list.
fn folded<'a>(entry: &mut String, statements: impl IntoIterator<Item = &'a mig_plan::Statement>) {
    let mut text = String::new();
    let statements: Vec<_> = statements.into_iter().map(|statement| (None, statement)).collect();
    sql(&mut text, &statements);
    for line in text.lines() {
        entry.push_str(if line.is_empty() { "" } else { "  " });
        entry.push_str(line);
        entry.push('\n');
    }
}

fn details(step: &Step) -> String {
    let mut out = format!(
        "<details><summary>{} {} {}</summary>\n\n{}\n",
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
    if let Some(batches) = batch_words(&step.action) {
        out.push_str(&format!("\n{}\n", escape(&clean::line(&batches))));
    }
    sql(&mut out, &statements(&step.action));
    out.push_str(&format!("\nUndo: {}\n", escape(&clean::line(&step.undo.says))));
    sql(&mut out, &statements(&step.undo.action));
    out.push_str("\n</details>\n");
    out
}

fn sql(out: &mut String, statements: &[(Option<&str>, &mig_plan::Statement)]) {
    if statements.is_empty() {
        return;
    }
    let mut text = String::new();
    for (part, statement) in statements {
        if let Some(part) = part {
            text.push_str(&format!("-- {part}\n"));
        }
        text.push_str(&clean::lines(&statement.sql()));
        text.push_str(";\n");
    }
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    out.push_str(&format!("\n{fence}sql\n{text}{fence}\n"));
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text as code inside a table: a code span would break at backticks and bars.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in html(&shortened(&clean::line(text))).chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '[' | ']' | '`' | '~') {
            out.push_str(&format!("&#{};", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out.push_str("</code>");
    out
}

/// Text as a cell of a table.
fn cell(text: &str) -> String {
    escape(&shortened(&clean::line(text)))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= CELL { text.to_owned() } else { text.chars().take(CELL).chain(['…']).collect() }
}

/// Text that Markdown leaves alone.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in html(text).chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '[' | ']' | '`' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn page() {
        insta::assert_snapshot!(markdown(&sample::plan()));
    }

    #[test]
    fn a_big_plan_stays_small_and_says_what_is_left_out() {
        let mut plan = sample::plan();
        let steps = plan.steps.clone();
        plan.steps = steps.iter().cycle().take(5_000).cloned().collect();
        plan.steps[0].why = "w".repeat(200_000);
        let text = markdown(&plan);
        assert!(text.len() < LONGEST, "{}", text.len());
        assert!(text.contains("more entries are left out"));
    }

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("</details> *x* @team"), "&lt;/details&gt; \\*x\\* &#64;team");
        assert_eq!(longest_run("a `` b ``` c"), 3);
    }
}
