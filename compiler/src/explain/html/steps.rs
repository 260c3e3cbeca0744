//! The steps, each folded: its line always, all that a reviewer asks inside.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Action, Class, HazardCode, Plan, Step, StepId};

use super::{
    super::{Advice, Pages, about, batch_words, changes, statements},
    sql, text,
};

/// All of them, by phase.
pub(super) fn section(plan: &Plan, pages: Pages<'_>) -> String {
    let number: BTreeMap<&StepId, usize> = plan.steps.iter().enumerate().map(|(i, s)| (&s.id, i + 1)).collect();
    let mut out = "<section id=\"steps\">\n<h2>Steps</h2>\n".to_owned();
    let mut phase = None;
    for (i, step) in plan.steps.iter().enumerate() {
        if phase != Some(step.phase) {
            if phase.is_some() {
                out.push_str("</div>\n");
            }
            phase = Some(step.phase);
            let (word, about) = (step.phase.word(), about(step.phase));
            out.push_str(&format!("<div class=\"phase\"><h3>{word} <small>{about}</small></h3>\n"));
        }
        out.push_str(&one(i + 1, step, &number, pages));
    }
    if phase.is_some() {
        out.push_str("</div>\n");
    }
    out.push_str("<p id=\"none\" hidden>No step passes the filters.</p>\n</section>\n");
    out
}

fn one(n: usize, step: &Step, number: &BTreeMap<&StepId, usize>, pages: Pages<'_>) -> String {
    let open = if step.class == Class::Critical { " open" } else { "" };
    let codes: BTreeSet<HazardCode> = step.hazards.iter().map(|h| h.code).collect();
    let marks: String = codes.iter().map(|code| format!(" <span class=\"code\">{code}</span>")).collect();
    let mut out = format!(
        "<details class=\"step {class}\" id=\"step-{n}\" data-class=\"{class}\" data-phase=\"{phase}\"{open}>\
         <summary><span class=\"n\">{n}</span> <span class=\"class\">{class}</span> <code class=\"id\">{id}</code>{marks} \
         <span class=\"why\">{why}</span></summary>\n<div class=\"body\">\n",
        class = step.class,
        phase = step.phase,
        id = text(&step.id.0),
        why = text(&step.why)
    );
    for hazard in &step.hazards {
        out.push_str(&format!(
            "<p class=\"hazard\"><strong>{} {}</strong><br><code>{}</code>: {}</p>\n",
            hazard.code,
            hazard.code.title(),
            text(&hazard.at.to_string()),
            text(&hazard.says)
        ));
    }
    out.push_str("<dl>\n");
    entry(&mut out, "Lock: who waits, how long", &text(&step.lock));
    for code in codes {
        let advice = Advice::of(code, pages);
        for (what, said) in [("What mig does about it", advice.remedy), ("What to check", advice.check)] {
            if !said.is_empty() {
                entry(&mut out, what, &prose(said));
            }
        }
    }
    entry(&mut out, "Undo", &text(&step.undo.says));
    if let Some(batches) = batch_words(&step.action) {
        entry(&mut out, "Rows", &text(&batches));
    }
    let needs: Vec<_> = step
        .needs
        .iter()
        .filter_map(|need| Some((number.get(&need.step)?, need)))
        .map(|(n, need)| format!("<a href=\"#step-{n}\">{n}</a> ({})", text(&need.because)))
        .collect();
    if !needs.is_empty() {
        entry(&mut out, "Waits for", &needs.join(", "));
    }
    out.push_str("</dl>\n");
    let changed: String = changes(step).iter().map(|c| format!("<li><code>{}</code></li>", text(c))).collect();
    if !changed.is_empty() {
        out.push_str(&format!("<ul class=\"changes\">{changed}</ul>\n"));
    }
    out.push_str(&action("SQL", &step.action));
    out.push_str(&action("SQL of the undo", &step.undo.action));
    out.push_str("</div></details>\n");
    out
}

fn entry(out: &mut String, what: &str, said: &str) {
    out.push_str(&format!("<dt>{what}</dt><dd>{said}</dd>\n"));
}

/// Text of a page, whose code is between backticks.
fn prose(said: &str) -> String {
    let mut out = String::new();
    for (i, part) in said.split('`').enumerate() {
        let part = super::escape(part);
        out.push_str(&if i % 2 == 1 { format!("<code>{part}</code>") } else { part });
    }
    out
}

fn action(title: &str, action: &Action) -> String {
    let all: Vec<_> = statements(action).into_iter().map(|(part, statement)| (part, statement.sql())).collect();
    if all.is_empty() { String::new() } else { format!("<h4>{title}</h4>\n{}\n", sql::block(&all)) }
}
