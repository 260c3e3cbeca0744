//! A plan's hazards as the annotations of code hosts.

use mig_plan::{Class, Fingerprint, Hazard, Plan, Step};
use serde_json::{Value, json};

use super::{Spots, clean};

/// A plan's critical and warning steps as workflow commands of GitHub Actions, one a line: `::error file=...::...`.
#[must_use]
pub fn annotations(plan: &Plan, spots: &Spots) -> String {
    let mut out = String::new();
    for (step, hazard) in hazards(plan) {
        let level = match hazard.code.class() {
            Class::Critical => "error",
            Class::Warning => "warning",
            Class::Routine => "notice",
        };
        let title = property(&format!("{} {}", hazard.code, hazard.code.title()));
        let place = spots.find(&hazard.at, &step.id).map_or_else(String::new, |spot| {
            let path = property(&spot.path);
            format!("file={path},line={},endLine={},col={},", spot.line, spot.end_line, spot.column)
        });
        out.push_str(&format!("::{level} {place}title={title}::{}\n", escaped(&sentence(step, hazard))));
    }
    out
}

/// A plan's critical and warning steps as a Code Quality report of GitLab.
#[must_use]
pub fn code_quality(plan: &Plan, spots: &Spots) -> String {
    let issues: Vec<Value> = hazards(plan)
        .filter_map(|(step, hazard)| {
            let spot = spots.find(&hazard.at, &step.id).cloned().or_else(|| spots.any())?;
            let severity = match hazard.code.class() {
                Class::Critical => "critical",
                Class::Warning => "minor",
                Class::Routine => "info",
            };
            Some(json!({
                "description": format!("{} {}: {}", hazard.code, hazard.code.title(), sentence(step, hazard)),
                "check_name": hazard.code.code(),
                "fingerprint": Fingerprint::of(&(&step.id, hazard.code, &hazard.at)).short(32),
                "severity": severity,
                "location": { "path": spot.path, "lines": { "begin": spot.line, "end": spot.end_line } },
            }))
        })
        .collect();
    format!("{:#}\n", Value::Array(issues))
}

fn hazards(plan: &Plan) -> impl Iterator<Item = (&Step, &Hazard)> {
    plan.steps.iter().flat_map(|step| step.hazards.iter().map(move |hazard| (step, hazard)))
}

fn sentence(step: &Step, hazard: &Hazard) -> String {
    let text = format!("{}: {} (lock: {}; undo: {})", hazard.at, hazard.says, step.lock, step.undo.says);
    clean::line(&text)
}

/// The message of a workflow command.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn annotations_name_file_and_line() {
        let plan = sample::plan();
        let spots = Spots::default().with_plan("plans/a,b.json", &plan);
        let text = annotations(&plan, &spots);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().next().unwrap().starts_with("::warning file=plans/a%2Cb.json,line="), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("::error file=plans/a%2Cb.json,line="), "{text}");
        let report: Vec<Value> = serde_json::from_str(&code_quality(&plan, &spots)).unwrap();
        assert_eq!(report.len(), 2);
        assert_ne!(report[0]["fingerprint"], report[1]["fingerprint"]);
    }
}
