//! Text made safe inside Markdown.

use mig_plan::Statement;

use super::super::clean;

/// The longest cell of a table, in characters.
const CELL: usize = 600;

/// Statements as a block of code that they cannot leave; empty if there are none.
pub(super) fn fence(statements: &[(Option<&str>, &Statement)]) -> String {
    if statements.is_empty() {
        return String::new();
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
    format!("\n{fence}sql\n{text}{fence}\n")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text as code inside a table: a code span would break at backticks and bars.
pub(super) fn code(text: &str) -> String {
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
pub(super) fn cell(text: &str) -> String {
    escape(&shortened(&clean::line(text)))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= CELL { text.to_owned() } else { text.chars().take(CELL).chain(['…']).collect() }
}

/// Text that Markdown leaves alone.
pub(super) fn escape(text: &str) -> String {
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
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("</details> *x* @team"), "&lt;/details&gt; \\*x\\* &#64;team");
        assert_eq!(longest_run("a `` b ``` c"), 3);
    }
}
