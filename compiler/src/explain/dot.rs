//! A plan as a graph for Graphviz and for Mermaid.

use std::{collections::BTreeMap, fmt::Write as _};

use mig_plan::{Address, Class, Phase, Plan, Step};

use super::{
    clean,
    graph::{Graph, label},
};

/// The most arrows and characters that Mermaid draws without being configured (`maxEdges` 500, `maxTextSize` 50,000).
const MERMAID: (usize, usize) = (450, 45_000);

/// A plan as a graph in the language of Graphviz: a cluster for each phase, an arrow where one step waits for another.
#[must_use]
pub fn dot(plan: &Plan) -> String {
    let mut out =
        "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n".to_owned();
    for phase in Phase::ALL {
        let steps: Vec<_> = plan.steps.iter().enumerate().filter(|(_, step)| step.phase == phase).collect();
        if steps.is_empty() {
            continue;
        }
        line(&mut out, format_args!("  subgraph cluster_{phase} {{"));
        line(&mut out, format_args!("    label=\"{phase}\";"));
        for (i, step) in steps {
            let (does, what) = label(step, 48);
            let text = format!("{}\\n{}", quoted(&does), quoted(&what));
            let tip = quoted(&clean::line(&format!("{}: {}", step.id, step.why)));
            let fill = fill(step.class);
            line(&mut out, format_args!("    s{i} [label=\"{text}\", tooltip=\"{tip}\", fillcolor=\"{fill}\"];"));
        }
        out.push_str("  }\n");
    }
    for (from, to) in Graph::of(plan).arrows {
        line(&mut out, format_args!("  s{from} -> s{to};"));
    }
    out.push_str("}\n");
    out
}

/// A plan as a graph in the language of Mermaid. Where it has more steps than Mermaid draws, those of one table and phase are one box
/// that says how many they are, and where even these are too many, those of one phase and class.
#[must_use]
pub fn mermaid(plan: &Plan) -> String {
    let each = |i: usize, _: &Step| Some(i.to_string());
    let by_table = |_: usize, step: &Step| {
        let holder = step.change.address().holder();
        Some(format!("{}|{holder}", step.phase))
    };
    let by_class = |_: usize, step: &Step| Some(format!("{}|{}", step.phase, step.class));
    let graph = Graph::of(plan);
    for group in [&each as &dyn Fn(usize, &Step) -> Option<String>, &by_table] {
        let (text, arrows) = grouped(plan, &graph, group);
        if arrows <= MERMAID.0 && text.len() <= MERMAID.1 {
            return text;
        }
    }
    grouped(plan, &graph, &by_class).0
}

/// Some steps in one box.
struct Group<'a> {
    phase: Phase,
    class: Class,
    steps: Vec<&'a Step>,
}

fn grouped(plan: &Plan, graph: &Graph, key: &dyn Fn(usize, &Step) -> Option<String>) -> (String, usize) {
    let mut number: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut of = Vec::with_capacity(plan.steps.len());
    for (i, step) in plan.steps.iter().enumerate() {
        let n = *number.entry(key(i, step).unwrap_or_default()).or_insert(groups.len());
        if n == groups.len() {
            groups.push(Group { phase: step.phase, class: step.class, steps: Vec::new() });
        }
        groups[n].class = groups[n].class.max(step.class);
        groups[n].steps.push(step);
        of.push(n);
    }
    let mut out = "flowchart LR\n".to_owned();
    for phase in Phase::ALL.into_iter().filter(|phase| groups.iter().any(|group| group.phase == *phase)) {
        line(&mut out, format_args!("  subgraph {phase}"));
        for (n, group) in groups.iter().enumerate().filter(|(_, group)| group.phase == phase) {
            line(&mut out, format_args!("    s{n}[\"{}\"]:::{}", box_text(group), group.class));
        }
        out.push_str("  end\n");
    }
    let mut arrows: Vec<_> = graph.arrows.iter().map(|(from, to)| (of[*from], of[*to])).collect();
    arrows.retain(|(from, to)| from != to);
    arrows.sort_unstable();
    arrows.dedup();
    for (from, to) in &arrows {
        line(&mut out, format_args!("  s{from} --> s{to}"));
    }
    for class in [Class::Critical, Class::Warning, Class::Routine] {
        line(&mut out, format_args!("  classDef {class} fill:{},stroke:#555,color:#111", fill(class)));
    }
    (out, arrows.len())
}

fn box_text(group: &Group<'_>) -> String {
    let holder = |step: &Step| step.change.address().holder();
    match group.steps.as_slice() {
        [one] => {
            let (does, what) = label(one, 48);
            format!("{does}<br>{}", entities(&what))
        }
        many => {
            let of_one: Option<Address> =
                many.first().map(|first| holder(first)).filter(|at| many.iter().all(|s| holder(s) == *at));
            let place = of_one.map(|at| format!("<br>{}", entities(&clean::line(&at.to_string())))).unwrap_or_default();
            format!("{} steps, worst {}{place}", many.len(), group.class)
        }
    }
}

fn fill(class: Class) -> &'static str {
    match class {
        Class::Critical => "#f6c1bd",
        Class::Warning => "#f7e3a8",
        Class::Routine => "#cfe8cf",
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}

/// Text inside double quotes of Graphviz.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Text inside double quotes of Mermaid: what is no letter, digit or plain sign becomes an entity.
fn entities(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, '_' | '.' | ' ' | '-' | '…' | '(' | ')' | ',') {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", u32::from(c)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn small() {
        insta::assert_snapshot!(format!("{}\n{}", dot(&sample::plan()), mermaid(&sample::plan())));
    }

    #[test]
    fn a_large_plan_is_drawn_within_the_limits() {
        for tables in [1, 40, 700] {
            let plan = sample::large(2000, tables);
            let text = mermaid(&plan);
            let arrows = text.matches("-->").count();
            assert!(text.len() <= MERMAID.1 && arrows <= MERMAID.0, "{tables}: {} bytes, {arrows} arrows", text.len());
        }
    }
}
