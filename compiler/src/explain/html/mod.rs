//! A plan as one page that needs nothing else: no network, no library, and most of it without a script as well.

mod graph;
mod sql;
mod steps;

use mig_plan::{Class, Phase, Plan, Statement, verify::When};

use super::{Pages, backup_words, check_words, clean, dataset_words, probe_words, summary, target};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// A plan as one HTML file: the graph of its steps, and every step with its reasons, hazards, lock, SQL and undo; steps can be
/// filtered by class, phase and text. It loads nothing, and its content policy forbids it to.
#[must_use]
pub fn html(plan: &Plan, pages: Pages<'_>) -> String {
    let title = escape(&format!("mig plan for {}", target(plan)));
    let mut body = header(plan, &title);
    body.push_str(&filters(plan));
    body.push_str("<main>\n");
    body.push_str(&graph::section(plan));
    body.push_str(&checks(plan));
    body.push_str(&declared(plan));
    body.push_str(&steps::section(plan, pages));
    body.push_str("</main>\n");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn header(plan: &Plan, title: &str) -> String {
    let name = plan.steps.len();
    let sentence = match plan.class() {
        _ if name == 0 => "There is nothing to do.",
        Class::Critical => "Needs sign-off: read the critical steps first.",
        Class::Warning => "Safe if you know the warnings.",
        Class::Routine => "Routine: nothing to decide.",
    };
    let facts = [("base", plan.base.as_str()), ("goal", plan.goal.as_str()), ("compiler", plan.compiler.as_str())];
    let facts: String = facts
        .iter()
        .map(|(what, value)| format!("<div><dt>{what}</dt><dd><code>{}</code></dd></div>", escape(&clean::line(value))))
        .collect();
    format!(
        "<header>\n<a class=\"skip\" href=\"#steps\">To the steps</a>\n<h1>{title}</h1>\n\
         <p class=\"lead\"><strong>{}</strong>. {sentence}</p>\n<details class=\"facts\"><summary>Fingerprints</summary>\
         <dl>{facts}</dl></details>\n<button type=\"button\" id=\"theme\" hidden>Light or dark</button>\n</header>\n",
        escape(&summary(plan))
    )
}

/// The filters. They work by script only, so the script shows them.
fn filters(plan: &Plan) -> String {
    let class = [Class::Critical, Class::Warning, Class::Routine].map(|class| {
        let count = plan.steps.iter().filter(|step| step.class == class).count();
        option("class", class.word(), count)
    });
    let phase = Phase::ALL.map(|phase| {
        let count = plan.steps.iter().filter(|step| step.phase == phase).count();
        option("phase", phase.word(), count)
    });
    format!(
        "<form id=\"filters\" hidden>\n<fieldset><legend>Class</legend>{}</fieldset>\n\
         <fieldset><legend>Phase</legend>{}</fieldset>\n\
         <label class=\"find\">Find <input type=\"search\" id=\"find\" placeholder=\"table, code, SQL\" autocomplete=\"off\"></label>\n\
         <p id=\"shown\" role=\"status\">{} steps</p>\n\
         <p class=\"keys\"><kbd>/</kbd> find <kbd>j</kbd> <kbd>k</kbd> next, previous step <kbd>o</kbd> open <kbd>a</kbd> all</p>\n</form>\n",
        class.concat(),
        phase.concat(),
        plan.steps.len()
    )
}

fn option(group: &str, word: &str, count: usize) -> String {
    let disabled = if count == 0 { " disabled" } else { "" };
    format!(
        "<label class=\"{word}\"><input type=\"checkbox\" name=\"{group}\" value=\"{word}\" checked{disabled}> {word} \
         <span class=\"count\">{count}</span></label>"
    )
}

fn checks(plan: &Plan) -> String {
    if plan.checks.is_empty() {
        return String::new();
    }
    let mut out = "<section id=\"checks\">\n<h2>Asked before the first write</h2>\n<ul>\n".to_owned();
    for check in &plan.checks {
        let weight = if check.stops { "stops the run" } else { "only warns" };
        let help: String = check.help.iter().map(|help| format!("<li>{}</li>", text(help))).collect();
        let help = if help.is_empty() { help } else { format!("<p>If it does not hold:</p><ul>{help}</ul>") };
        out.push_str(&format!(
            "<li><code>{}</code>: {} <em>({weight} otherwise)</em>{help}<details><summary>SQL</summary>{}</details></li>\n",
            text(&check.at.to_string()),
            text(&check.says),
            sql::block(&[(None, check.count.sql())])
        ));
    }
    out.push_str("</ul>\n</section>\n");
    out
}

/// What the specs say must hold, and what the database must take or refuse.
fn declared(plan: &Plan) -> String {
    let mut out = String::new();
    for (moment, title) in
        [(When::Before, "Must hold before the first write"), (When::After, "Must hold after the last step")]
    {
        let checks = plan.declared.iter().filter(|check| check.when.includes(moment));
        out.push_str(&list(title, checks.map(|check| (check_words(check, moment), vec![&check.sql])).collect()));
    }
    let probes = plan.probes.iter().map(|probe| (probe_words(probe), probe.given.iter().chain(&probe.sql).collect()));
    out.push_str(&list("Tried after the last step, and rolled back", probes.collect()));
    let backups = plan.backups.iter().map(|backup| (backup_words(backup), vec![&backup.sql]));
    out.push_str(&list("Written into files and read back before the first write", backups.collect()));
    let datasets = plan.datasets.iter().map(|dataset| (dataset_words(dataset), vec![&dataset.sql]));
    out + &list("Filed as evidence", datasets.collect())
}

/// A section of sentences, each with its SQL folded; empty if there are none.
fn list(title: &str, entries: Vec<(String, Vec<&Statement>)>) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut out = format!("<section>\n<h2>{title}</h2>\n<ul>\n");
    for (says, statements) in entries {
        let statements: Vec<_> = statements.iter().map(|statement| (None, statement.sql())).collect();
        let sql = sql::block(&statements);
        out.push_str(&format!("<li>{}<details><summary>SQL</summary>{sql}</details></li>\n", escape(&says)));
    }
    out.push_str("</ul>\n</section>\n");
    out
}

/// Text from a plan, for one line.
fn text(text: &str) -> String {
    escape(&clean::line(text))
}

/// Text that HTML takes as text, in elements and in attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn it_loads_nothing_and_shows_every_step() {
        let plan = sample::large(300, 9);
        let page = html(&plan, &sample::pages);
        let outside = page.replace("url(#tip)", "");
        for far in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!outside.contains(far), "{far}");
        }
        assert_eq!(page.matches("<details class=\"step").count(), 300);
        assert_eq!(page.matches("<a class=\"node").count(), 300);
    }

    #[test]
    fn text_stays_text() {
        let mut plan = sample::plan();
        plan.steps[0].why = "</summary><script>alert(1)</script>".to_owned();
        let page = html(&plan, &sample::pages);
        assert_eq!(page.matches("<script>").count(), 1);
        assert!(page.contains("&lt;script&gt;alert(1)"));
    }
}
