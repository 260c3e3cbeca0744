//! `mig fmt`: one way to space a spec file. Comments stay, and the meaning never changes.

use toml_edit::{Array, Decor, DocumentMut, InlineTable, Item, KeyMut, RawString, Table, Value};

use crate::diagnostic::{Code, Diagnostic};

/// Formats a spec file.
///
/// # Errors
/// If the text is not TOML: where, without a path.
#[expect(clippy::result_large_err, reason = "it is made once per file that is not TOML")]
pub fn fmt(text: &str) -> Result<String, Diagnostic> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let mut diagnostic = Diagnostic::new(Code::Syntax, error.message());
        diagnostic.span = error.span();
        diagnostic
    })?;
    format_table(document.as_table_mut(), false);
    let trailing = format!("{}\n", document.trailing().as_str().unwrap_or_default());
    document.set_trailing(comments(&trailing, false).trim_end_matches('\n'));
    let mut out = document.to_string().trim_start_matches('\n').trim_end_matches('\n').to_owned();
    if !out.is_empty() {
        out.push('\n');
    }
    // Formatting moves nothing but blanks; should it ever do more, the text stays as it is.
    let same = text.parse::<toml::Table>().ok() == out.parse::<toml::Table>().ok();
    Ok(if same { out } else { text.to_owned() })
}

/// Formats the keys of a table and the tables in it. In one that is `aligned` the `=` stand below each other.
fn format_table(table: &mut Table, aligned: bool) {
    let width = if aligned { widest(table) } else { 0 };
    let mut first = true;
    for (mut key, item) in table.iter_mut() {
        match item {
            Item::Value(value) => {
                line(&mut key, value, first, width);
                first = false;
            }
            Item::Table(inner) if inner.is_dotted() => {
                dotted(inner, &mut first);
            }
            Item::Table(inner) => {
                key.fmt();
                header(inner.decor_mut());
                let columns = key.get() == "columns";
                format_table(inner, columns);
            }
            Item::ArrayOfTables(tables) => {
                key.fmt();
                for inner in tables.iter_mut() {
                    header(inner.decor_mut());
                    format_table(inner, false);
                }
            }
            Item::None => {}
        }
    }
}

/// Formats `a.b = 1`.
fn dotted(table: &mut Table, first: &mut bool) {
    for (mut key, item) in table.iter_mut() {
        match item {
            Item::Value(value) => {
                line(&mut key, value, *first, 0);
                *first = false;
            }
            Item::Table(inner) => dotted(inner, first),
            Item::ArrayOfTables(_) | Item::None => {}
        }
    }
}

/// The width of the widest key.
fn widest(table: &mut Table) -> usize {
    table.iter_mut().filter(|(_, item)| item.is_value()).map(|(key, _)| width(&key)).max().unwrap_or(0)
}

fn width(key: &KeyMut<'_>) -> usize {
    key.display_repr().chars().count()
}

/// Formats one line `key = value`.
fn line(key: &mut KeyMut<'_>, value: &mut Value, first: bool, wide: usize) {
    let pad = " ".repeat(1 + wide.saturating_sub(width(key)));
    let decor = key.leaf_decor_mut();
    let prefix = comments(text(decor.prefix()), first);
    decor.set_prefix(prefix);
    decor.set_suffix(pad);
    let suffix = remark(text(value.decor().suffix()));
    tidy(value, 1);
    value.decor_mut().set_prefix(" ");
    value.decor_mut().set_suffix(suffix);
}

/// Formats what is around a header.
fn header(decor: &mut Decor) {
    let prefix = format!("\n{}", comments(text(decor.prefix()), true));
    let suffix = remark(text(decor.suffix()));
    decor.set_prefix(prefix);
    decor.set_suffix(suffix);
}

/// Formats the inside of a list or an inline table.
fn tidy(value: &mut Value, depth: usize) {
    match value {
        Value::Array(array) => tidy_array(array, depth),
        Value::InlineTable(table) => tidy_inline(table, depth),
        _ => {}
    }
}

fn tidy_array(array: &mut Array, depth: usize) {
    let spread = breaks(array.trailing()) || array.iter().any(|v| decor_breaks(v.decor()));
    if !spread {
        array.fmt();
        array.iter_mut().for_each(|value| tidy(value, depth));
        return;
    }
    for (i, value) in array.iter_mut().enumerate() {
        tidy(value, depth + 1);
        let prefix = indented(text(value.decor().prefix()), depth, i > 0);
        let suffix = text(value.decor().suffix()).trim_end_matches([' ', '\t']).to_owned();
        value.decor_mut().set_prefix(prefix);
        value.decor_mut().set_suffix(suffix);
    }
    let trailing = indented(array.trailing().as_str().unwrap_or_default(), depth - 1, false);
    array.set_trailing(trailing);
}

fn tidy_inline(table: &mut InlineTable, depth: usize) {
    let spread = breaks(table.trailing())
        || table.iter_mut().any(|(key, value)| decor_breaks(key.leaf_decor()) || decor_breaks(value.decor()));
    if !spread {
        table.fmt();
        table.set_trailing_comma(false);
        table.set_trailing("");
        table.iter_mut().for_each(|(_, value)| tidy(value, depth));
        return;
    }
    for (i, (mut key, value)) in table.iter_mut().enumerate() {
        if value.as_inline_table().is_some_and(InlineTable::is_dotted) {
            continue;
        }
        tidy(value, depth + 1);
        let decor = key.leaf_decor_mut();
        let prefix = indented(text(decor.prefix()), depth, i > 0);
        decor.set_prefix(prefix);
        decor.set_suffix(" ");
        let suffix = text(value.decor().suffix()).trim_end_matches([' ', '\t']).to_owned();
        value.decor_mut().set_prefix(" ");
        value.decor_mut().set_suffix(suffix);
    }
    let trailing = indented(table.trailing().as_str().unwrap_or_default(), depth - 1, false);
    table.set_trailing(trailing);
}

fn decor_breaks(decor: &Decor) -> bool {
    decor.prefix().is_some_and(breaks) || decor.suffix().is_some_and(breaks)
}

/// Whether there is a line break or a comment.
fn breaks(raw: &RawString) -> bool {
    raw.as_str().is_some_and(|s| s.contains(['\n', '#']))
}

fn text(raw: Option<&RawString>) -> &str {
    raw.and_then(RawString::as_str).unwrap_or_default()
}

/// The comment at the end of a line.
fn remark(raw: &str) -> String {
    match raw.trim() {
        "" => String::new(),
        comment => format!(" {comment}"),
    }
}

/// The comment lines before a key or header, each on its own line, with no more than one blank line between.
fn comments(raw: &str, first: bool) -> String {
    let lines: Vec<&str> = raw.split('\n').map(str::trim).collect();
    let mut out = String::new();
    let mut blank = first;
    for line in lines.split_last().map_or(&[][..], |(_, rest)| rest) {
        if !line.is_empty() {
            out.push_str(line);
            out.push('\n');
            blank = false;
        } else if !blank {
            out.push('\n');
            blank = true;
        }
    }
    out
}

/// What stands before an item of a list that goes over several lines. `spaced` items on one line keep one blank between.
fn indented(raw: &str, depth: usize, spaced: bool) -> String {
    let indent = "  ".repeat(depth);
    let mut lines = raw.split('\n').map(str::trim).collect::<Vec<_>>();
    let last = if lines.len() > 1 { lines.pop() } else { None };
    let mut out = String::new();
    for (i, line) in lines.into_iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        out.push_str(&if i == 0 { format!(" {line}") } else { format!("\n{indent}{line}") });
    }
    match last {
        Some(last) => out.push_str(&format!("\n{indent}{last}")),
        None if spaced && out.is_empty() => out.push(' '),
        None => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MESSY: &str = "\n\n# About users.\n  \n\n[ table.users ]# why\nprimary_key=[ \"id\" ,\"b\"]\n\n\n\n  # note\n  \
        comment   =   \"x\"   # trailing\n[table.users.columns]\n\nid=\"bigint\"\norganization_id = {type=\"uuid\",was = \"o\" }\n\
        # about e\n'e e' = \"text\"\n[[table.users.checks]]\nexpr = '''\n  a  =  1\n'''\n[[table.users.checks]]\nexpr=\"b\"\n\
        [enum.mood]\nvalues = [\n   \"sad\", # low\n# high\n\"glad\",\n ]\n[transform.users]\nset.a=\"1\"\nset.b =  \"2\"\n\n# end\n\n";

    const TIDY: &str = "# About users.

[table.users] # why
primary_key = [\"id\", \"b\"]

# note
comment = \"x\" # trailing

[table.users.columns]
id              = \"bigint\"
organization_id = { type = \"uuid\", was = \"o\" }
# about e
'e e'           = \"text\"

[[table.users.checks]]
expr = '''
  a  =  1
'''

[[table.users.checks]]
expr = \"b\"

[enum.mood]
values = [
  \"sad\", # low
  # high
  \"glad\",
]

[transform.users]
set.a = \"1\"
set.b = \"2\"

# end
";

    #[test]
    fn there_is_one_way_to_space_a_file() {
        assert_eq!(fmt(MESSY).unwrap(), TIDY);
        assert_eq!(fmt(TIDY).unwrap(), TIDY);
        assert_eq!(fmt("").unwrap(), "");
        assert_eq!(fmt("a = ").unwrap_err().code, "MIG-E001");
    }

    fn blanks() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            Just(" ".into()),
            Just("\n".into()),
            Just("  # c\n\n".into()),
            Just("\n\n \t# d\n ".into())
        ]
    }

    fn space() -> impl Strategy<Value = String> {
        "[ \t]{0,3}"
    }

    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("1".to_owned()),
            Just("\"a # b\"".to_owned()),
            Just("'''\n x\n\n  # y\n'''".to_owned()),
            Just("\"\"\"\nselect \\\n  1\"\"\"".to_owned())
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec((blanks(), inner.clone(), blanks()), 0..3).prop_map(|items| {
                    format!("[{}]", items.iter().map(|(a, v, b)| format!("{a}{v}{b},")).collect::<String>())
                }),
                prop::collection::vec((blanks(), space(), inner, blanks()), 0..3).prop_map(|items| {
                    let items: Vec<_> =
                        items.iter().enumerate().map(|(i, (a, s, v, b))| format!("{a}k{i}{s}={s}{v}{b}")).collect();
                    format!("{{{}}}", items.join(","))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn formatting_is_idempotent_and_keeps_the_meaning(
            lines in prop::collection::vec((blanks(), space(), value(), 0..4usize), 0..8)
        ) {
            let mut file = String::new();
            for (i, (blank, space, value, kind)) in lines.iter().enumerate() {
                file.push_str(blank);
                file.push('\n');
                match kind {
                    0 => file.push_str(&format!("{space}[table.t{i}.columns]{space}# h\n")),
                    1 => file.push_str(&format!("[[table.list]]{space}\n")),
                    2 => file.push_str(&format!("{space}s{i}.b{space}={space}{value}\n")),
                    _ => {}
                }
                file.push_str(&format!("{space}key{i}{space}={space}{value}{space}# r\n"));
            }
            let Ok(meant) = file.parse::<toml::Table>() else { return Ok(()) };
            let once = fmt(&file).unwrap();
            prop_assert_eq!(&once.parse::<toml::Table>().unwrap(), &meant);
            prop_assert_eq!(fmt(&once).unwrap(), once.clone(), "{}", file);
            prop_assert_eq!(once.matches('#').count(), file.matches('#').count());
        }
    }
}
