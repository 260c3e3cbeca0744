//! Outcomes of checks as a JUnit report, which every CI server reads.

mod apply;

use std::path::Path;

pub(crate) use self::apply::of_apply;
use crate::{exit::Trouble, files};

/// One check.
pub(crate) struct Case {
    /// What should hold.
    pub(crate) name: String,
    /// Whether it does.
    pub(crate) outcome: Outcome,
}

/// How a check ended.
pub(crate) enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed {
        /// In which way, in a line.
        says: String,
        /// What else there is to say.
        text: String,
    },
    /// It was not asked.
    Skipped {
        /// Why.
        says: String,
    },
}

/// Writes a report of one suite.
pub(crate) fn write(file: &Path, suite: &str, cases: &[Case]) -> Result<(), Trouble> {
    files::write(file, report(suite, cases).as_bytes())
}

fn report(suite: &str, cases: &[Case]) -> String {
    let failed = cases.iter().filter(|case| matches!(case.outcome, Outcome::Failed { .. })).count();
    let skipped = cases.iter().filter(|case| matches!(case.outcome, Outcome::Skipped { .. })).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\"", cases.len());
    let suite = xml(suite);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{suite}\" {counts}>\n"
    );
    for case in cases {
        let name = xml(&case.name);
        out.push_str(&format!("    <testcase classname=\"{suite}\" name=\"{name}\""));
        out.push_str(&match &case.outcome {
            Outcome::Passed => "/>\n".to_owned(),
            Outcome::Failed { says, text } => {
                format!("><failure message=\"{}\">{}</failure></testcase>\n", xml(says), xml(text))
            }
            Outcome::Skipped { says } => format!("><skipped message=\"{}\"/></testcase>\n", xml(says)),
        });
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Text that XML 1.0 takes, in elements and in attributes.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_its_cases() {
        let cases = [
            Case { name: "a & b".to_owned(), outcome: Outcome::Passed },
            Case {
                name: "c".to_owned(),
                outcome: Outcome::Failed { says: "<no>".to_owned(), text: "x\u{1}".to_owned() },
            },
        ];
        let text = report("suite", &cases);
        assert!(text.contains("<testsuite name=\"suite\" tests=\"2\" failures=\"1\" skipped=\"0\">"), "{text}");
        assert!(text.contains("<testcase classname=\"suite\" name=\"a &amp; b\"/>"), "{text}");
        assert!(text.contains("<failure message=\"&lt;no&gt;\">x\u{fffd}</failure>"), "{text}");
    }
}
