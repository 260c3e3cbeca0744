//! TOML as a person writes it: keys, strings and numbers. And SQL in it.

use mig_plan::sql::tokens;

/// A key: bare where it can be.
pub(crate) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { text.to_owned() } else { one_line(text) }
}

/// A string: over several lines where the text has several, and always exactly the text.
pub(crate) fn string(text: &str) -> String {
    let plain = !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if plain && text.contains('\n') {
        if !text.contains(['\\']) && !text.contains("\"\"\"") && !text.ends_with('"') {
            return format!("\"\"\"\n{text}\"\"\"");
        }
        if !text.contains("'''") && !text.ends_with('\'') {
            return format!("'''\n{text}'''");
        }
    }
    one_line(text)
}

/// A string on one line.
fn one_line(text: &str) -> String {
    let plain = !text.chars().any(|c| c.is_control() && c != '\t');
    if plain && !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else if plain && !text.contains('\'') {
        format!("'{text}'")
    } else {
        escaped(text)
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text that the language also takes as a number or a truth.
pub(crate) fn scalar(text: &str) -> String {
    let number = text.parse::<i64>().is_ok_and(|n| n.to_string() == text);
    if number || text == "true" || text == "false" { text.to_owned() } else { string(text) }
}

/// A list of strings.
pub(crate) fn strings<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    list(items.into_iter().map(string).collect())
}

/// A list; a long one has a line for each item.
pub(crate) fn list(items: Vec<String>) -> String {
    let width: usize = items.iter().map(|i| i.chars().count() + 2).sum();
    if width > 100 {
        format!("[\n{}]", items.iter().map(|item| format!("  {item},\n")).collect::<String>())
    } else {
        format!("[{}]", items.join(", "))
    }
}

/// What stands between parentheses around the whole of an SQL text.
pub(crate) fn inside(sql: &str) -> Option<&str> {
    let sql = sql.trim();
    let inner = sql.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0_usize;
    for token in tokens(inner) {
        depth = match token.text {
            "(" => depth + 1,
            ")" => depth.checked_sub(1)?,
            _ => depth,
        };
    }
    (depth == 0).then(|| inner.trim())
}

/// A table on one line.
pub(crate) fn inline(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_parentheses_around_the_whole_are_left_out() {
        assert_eq!(inside("(code > 0)"), Some("code > 0"));
        assert_eq!(inside(" ( f(a) and (b) ) "), Some("f(a) and (b)"));
        assert_eq!(inside("(a = ')')"), Some("a = ')'"));
        for sql in ["(a) or (b)", "f(a)", "a", "(a"] {
            assert_eq!(inside(sql), None, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn strings_and_keys_round_trip(text in "([a'\"\\\\\n\t#é🎉= \r\u{1}\u{7f}\u{85}]|'''|\"\"\"){0,12}") {
            let file = format!("{} = {}", key(&text), string(&text));
            let read: toml::Table = file.parse().unwrap();
            prop_assert_eq!(read.keys().next().unwrap(), &text);
            prop_assert_eq!(read[&text].as_str().unwrap(), text);
        }
    }
}
