//! Column types: every accepted spelling, and the one that `format_type` gives.

use mig_plan::{
    Address, Body, Name, ObjectKind, Qualified, Schema, UnknownType, split_path,
    sql::{TokenKind, tokens},
};

use super::names;

/// Types that need no change of spelling.
const BUILT_IN: &str = " aclitem bit boolean box bytea character cid cidr circle date datemultirange daterange inet int4multirange \
int4range int8multirange int8range integer interval json jsonb jsonpath line lseg macaddr macaddr8 money name numeric nummultirange \
numrange oid path pg_lsn pg_snapshot point polygon real record refcursor regclass regcollation regconfig regdictionary regnamespace \
regoper regoperator regproc regprocedure regrole regtype smallint bigint text tid trigger tsmultirange tsquery tsrange tstzmultirange \
tstzrange tsvector txid_snapshot uuid void xid xid8 xml bpchar oidvector int2vector event_trigger anyelement anyarray anyenum \
anynonarray anyrange unknown cstring internal ";

/// Other spellings of built-in types.
const ALIASES: &[(&str, &str)] = &[
    ("int", "integer"),
    ("int4", "integer"),
    ("int2", "smallint"),
    ("int8", "bigint"),
    ("bool", "boolean"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("double precision", "double precision"),
    ("varchar", "character varying"),
    ("character varying", "character varying"),
    ("char varying", "character varying"),
    ("nchar varying", "character varying"),
    ("national character varying", "character varying"),
    ("national char varying", "character varying"),
    ("char", "character"),
    ("nchar", "character"),
    ("national character", "character"),
    ("national char", "character"),
    ("varbit", "bit varying"),
    ("bit varying", "bit varying"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timetz", "time with time zone"),
    ("time", "time without time zone"),
];

/// The types that stand for an integer column with a sequence.
pub(crate) const SERIALS: &[(&str, &str)] = &[
    ("serial", "integer"),
    ("serial4", "integer"),
    ("bigserial", "bigint"),
    ("serial8", "bigint"),
    ("smallserial", "smallint"),
    ("serial2", "smallint"),
];

/// A type text in its parts.
struct Spelling {
    /// The words of the name, folded; or one quoted or qualified name as written.
    words: Vec<String>,
    /// Whether any part of the name was quoted.
    quoted: bool,
    /// What stood between parentheses, without blanks.
    modifier: Option<String>,
    /// Whether it is an array of any number of dimensions.
    array: bool,
}

/// The spelling of a declared type, or of one in a cast.
pub(crate) fn spell(declared: &str, schema: &Schema, default: Option<&Name>) -> Result<String, UnknownType> {
    let lookup = |name: &str| user_type(name, schema, default);
    spell_with(declared, &lookup)
}

/// The spelling of a type in an expression, where every unknown name is taken as it is.
pub(crate) fn spell_loosely(declared: &str, default: Option<&Name>) -> String {
    let lookup = |name: &str| {
        let parts = split_path(name).ok()?;
        let schema = if parts.len() > 1 { parts.first() } else { default };
        Some(schema.into_iter().chain(parts.last()).map(names::quote).collect::<Vec<_>>().join("."))
    };
    spell_with(declared, &lookup).unwrap_or_else(|_| declared.to_lowercase())
}

fn spell_with(declared: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, UnknownType> {
    let parts = cut(declared).ok_or(UnknownType { near: None })?;
    let name = parts.words.join(" ");
    let modifier = parts.modifier.as_ref().map(|m| format!("({m})")).unwrap_or_default();
    let base = if parts.quoted { None } else { built_in(&name, &modifier) };
    let base = match base.or_else(|| lookup(&name).map(|found| format!("{found}{modifier}"))) {
        Some(base) => base,
        None => return Err(UnknownType { near: near(&name) }),
    };
    Ok(if parts.array { format!("{base}[]") } else { base })
}

/// Cuts a type text into its parts; `None` if it is none.
fn cut(declared: &str) -> Option<Spelling> {
    let mut parts = Spelling { words: Vec::new(), quoted: false, modifier: None, array: false };
    let (mut depth, mut inner, mut glue) = (0u32, String::new(), false);
    for token in tokens(declared).filter(|t| t.kind != TokenKind::Blank) {
        match token.text {
            "(" => depth += 1,
            ")" => {
                depth = depth.checked_sub(1)?;
                parts.modifier = Some(std::mem::take(&mut inner));
            }
            text if depth > 0 => inner.push_str(text),
            "." => {
                parts.words.last_mut()?.push('.');
                glue = true;
            }
            "[" | "]" => parts.array = true,
            _ => {
                // The lexer takes a `[]` without a name before it as a quoted name in brackets.
                let word = match token.kind {
                    TokenKind::Quoted if token.text.starts_with('"') => {
                        parts.quoted = true;
                        token.text.to_owned()
                    }
                    TokenKind::Word if token.text.eq_ignore_ascii_case("array") => {
                        parts.array = true;
                        continue;
                    }
                    TokenKind::Word => token.text.to_lowercase(),
                    TokenKind::Number if parts.array => continue,
                    _ => return None,
                };
                match parts.words.last_mut() {
                    Some(last) if glue => last.push_str(&word),
                    _ => parts.words.push(word),
                }
                glue = false;
            }
        }
    }
    (depth == 0 && !parts.words.is_empty()).then_some(parts)
}

/// The spelling of a built-in type.
fn built_in(name: &str, modifier: &str) -> Option<String> {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    if let Some(found) = with_zone(name, modifier).or_else(|| interval(name, modifier)) {
        return Some(found);
    }
    if name == "float" {
        let digits: u32 = modifier.trim_matches(['(', ')']).parse().unwrap_or(53);
        return Some(if digits <= 24 { "real" } else { "double precision" }.to_owned());
    }
    if SERIALS.iter().any(|(serial, _)| *serial == name) {
        return Some(name.to_owned());
    }
    let plain = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, plain)| *plain);
    let plain = plain.or_else(|| BUILT_IN.contains(&format!(" {name} ")).then_some(name))?;
    Some(match (plain, modifier) {
        (
            "timestamp without time zone"
            | "time without time zone"
            | "timestamp with time zone"
            | "time with time zone",
            m,
        ) if !m.is_empty() => {
            let (head, tail) = plain.split_once(' ')?;
            format!("{head}{m} {tail}")
        }
        ("character", "") => "character(1)".to_owned(),
        ("bit", "") => "bit(1)".to_owned(),
        ("numeric", m) if !m.is_empty() && !m.contains(',') => format!("numeric({},0)", m.trim_matches(['(', ')'])),
        _ => format!("{plain}{modifier}"),
    })
}

/// `timestamp with time zone` and its like, where the precision stands in the middle.
fn with_zone(name: &str, modifier: &str) -> Option<String> {
    let (head, zone) = name.split_once(' ')?;
    (matches!(head, "timestamp" | "time") && matches!(zone, "with time zone" | "without time zone"))
        .then(|| format!("{head}{modifier} {zone}"))
}

/// `interval year to month` and its like.
fn interval(name: &str, modifier: &str) -> Option<String> {
    let fields = name.strip_prefix("interval ")?;
    let known = ["year", "month", "day", "hour", "minute", "second", "to"];
    fields.split(' ').all(|word| known.contains(&word)).then(|| format!("interval {fields}{modifier}"))
}

/// A type that the schema declares, or one that a declared extension may bring.
fn user_type(name: &str, schema: &Schema, default: Option<&Name>) -> Option<String> {
    if name == "\"char\"" {
        return Some(name.to_owned());
    }
    let mut parts = split_path(name).ok()?;
    let last = parts.pop()?;
    let spelt = |at: &Qualified| names::qualified(at);
    let kinds = [
        ObjectKind::Enum,
        ObjectKind::Domain,
        ObjectKind::Type,
        ObjectKind::Table,
        ObjectKind::View,
        ObjectKind::MaterializedView,
        ObjectKind::Opaque,
    ];
    let exists = |at: &Qualified| {
        kinds.iter().any(|kind| schema.objects.contains_key(&Address::new(*kind, at)))
            || super::ranges::range_of(at, schema).is_some()
    };
    if let Some(in_schema) = parts.pop() {
        let at = Qualified::new(Some(in_schema), last);
        return (exists(&at) || has_extension(schema)).then(|| spelt(&at));
    }
    let at = Qualified::new(default.cloned(), last.clone());
    if exists(&at) {
        return Some(spelt(&at));
    }
    let elsewhere = schema
        .objects
        .keys()
        .find(|a| kinds.contains(&a.kind()) && a.kind() != ObjectKind::Opaque && *a.name() == last);
    if let Some(found) = elsewhere {
        return Some(spelt(&found.qualified()));
    }
    extension_type(&last, schema, default)
}

fn has_extension(schema: &Schema) -> bool {
    schema.objects.values().any(|o| matches!(o.body, Body::Extension(_)))
}

/// A type that no object declares, in the schema of the extension that most likely brings it.
fn extension_type(name: &Name, schema: &Schema, default: Option<&Name>) -> Option<String> {
    let brings = |extension: &str| match name.as_str() {
        "geometry" | "geography" | "box2d" | "box3d" => extension.starts_with("postgis"),
        "halfvec" | "sparsevec" => extension == "vector",
        "lquery" | "ltxtquery" => extension == "ltree",
        "earth" => extension == "earthdistance",
        other => extension == other,
    };
    let mut extensions = schema.objects.iter().filter_map(|(at, o)| match &o.body {
        Body::Extension(e) => Some((brings(at.name().as_str()), e)),
        _ => None,
    });
    let first = extensions.next()?;
    let (_, extension) = if first.0 { first } else { extensions.find(|(sure, _)| *sure).unwrap_or(first) };
    let at = Qualified::new(extension.schema.clone().or_else(|| default.cloned()), name.clone());
    Some(names::qualified(&at))
}

/// A known type that is spelt alike: one edit away, or two in a long name.
fn near(name: &str) -> Option<String> {
    if ["citext", "hstore", "ltree", "vector", "cube", "seg"].contains(&name) {
        return None;
    }
    let aliases = ALIASES.iter().chain(SERIALS).map(|(alias, _)| *alias);
    let known = aliases.chain(BUILT_IN.split_whitespace());
    let limit = if name.len() > 5 { 2 } else { 1 };
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let far = distance(name, candidate);
        if far <= limit && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, found)| found.to_owned())
}

/// How many characters must be added, removed, exchanged or swapped with a neighbour to get from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let exchanged = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = exchanged.min(row[j - 1] + 1).min(rows[i - 1][j] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use mig_plan::{Object, schema::Extension};

    fn declared() -> Schema {
        let mut schema = Schema::default();
        let at = Qualified::new(Some(Name::new("public").unwrap()), Name::new("mood").unwrap());
        schema.objects.insert(Address::new(ObjectKind::Enum, &at), Object::new(Body::Enum { values: vec![] }).into());
        schema
    }

    #[test]
    fn spells_like_format_type() {
        let public = Name::new("public").unwrap();
        for (from, to) in [
            ("int4", "integer"),
            ("INT", "integer"),
            ("varchar(20)", "character varying(20)"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("timestamp (3) without time zone", "timestamp(3) without time zone"),
            ("timestamp", "timestamp without time zone"),
            ("decimal(10, 2)", "numeric(10,2)"),
            ("numeric(5)", "numeric(5,0)"),
            ("char", "character(1)"),
            ("\"char\"", "\"char\""),
            ("float", "double precision"),
            ("float(20)", "real"),
            ("int[]", "integer[]"),
            ("text[][]", "text[]"),
            ("text[3]", "text[]"),
            ("varchar(3)[]", "character varying(3)[]"),
            ("integer array", "integer[]"),
            ("interval year to month", "interval year to month"),
            ("interval day to second(3)", "interval day to second(3)"),
            ("interval(3)", "interval(3)"),
            ("bit varying(4)", "bit varying(4)"),
            ("mood", "public.mood"),
            ("public.mood[]", "public.mood[]"),
            ("bigserial", "bigserial"),
            ("pg_catalog.int4", "integer"),
        ] {
            assert_eq!(spell(from, &declared(), Some(&public)).unwrap(), to, "{from}");
        }
    }

    #[test]
    fn unknown_types_have_a_near_miss() {
        let near = |t: &str| spell(t, &declared(), None).unwrap_err().near;
        assert_eq!(near("integr"), Some("integer".to_owned()));
        assert_eq!(near("tetx"), Some("text".to_owned()));
        assert_eq!(near("citext"), None);
        let mut schema = declared();
        let extension = Extension { schema: None, version: None };
        let at = Address::global(ObjectKind::Extension, Name::new("citext").unwrap());
        schema.objects.insert(at, Object::new(Body::Extension(extension)).into());
        assert_eq!(spell("citext", &schema, Name::new("public").ok().as_ref()).unwrap(), "public.citext");
    }
}
