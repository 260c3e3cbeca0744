//! Column types: a declared spelling in the catalog's words.

use mig_plan::{UnknownType, sql::TokenKind};

use super::{lex, names::literal};
use crate::flavor::Flavor;

/// Every type's first word that the catalog knows.
const KNOWN: &[&str] = &[
    "bigint",
    "binary",
    "bit",
    "blob",
    "char",
    "date",
    "datetime",
    "decimal",
    "double",
    "enum",
    "float",
    "geometry",
    "geometrycollection",
    "inet4",
    "inet6",
    "int",
    "json",
    "linestring",
    "longblob",
    "longtext",
    "mediumblob",
    "mediumint",
    "mediumtext",
    "multilinestring",
    "multipoint",
    "multipolygon",
    "point",
    "polygon",
    "set",
    "smallint",
    "text",
    "time",
    "timestamp",
    "tinyblob",
    "tinyint",
    "tinytext",
    "uuid",
    "varbinary",
    "varchar",
    "vector",
    "year",
];

/// Other words for a type, with what the catalog makes of them.
const SYNONYMS: &[(&str, &str)] = &[
    ("integer", "int"),
    ("int4", "int"),
    ("int8", "bigint"),
    ("int2", "smallint"),
    ("int1", "tinyint"),
    ("int3", "mediumint"),
    ("middleint", "mediumint"),
    ("numeric", "decimal"),
    ("dec", "decimal"),
    ("fixed", "decimal"),
    ("real", "double"),
    ("float4", "float"),
    ("float8", "double"),
    ("character", "char"),
    ("nchar", "char"),
    ("nvarchar", "varchar"),
    ("varchar2", "varchar"),
    ("varcharacter", "varchar"),
    ("geomcollection", "geometrycollection"),
];

/// The catalog's spelling of a declared type.
pub(crate) fn canonical(flavor: &Flavor, declared: &str) -> Result<String, UnknownType> {
    let tokens = lex::tokens(declared);
    let words: Vec<String> =
        tokens.iter().take_while(|t| t.kind == TokenKind::Word).map(|t| t.text.to_ascii_lowercase()).collect();
    let first = words.first().cloned().unwrap_or_default();
    if matches!(first.as_str(), "bool" | "boolean") {
        return Ok("tinyint(1)".to_owned());
    }
    let mut word = SYNONYMS.iter().find(|(from, _)| *from == first).map_or(first.clone(), |(_, to)| (*to).to_owned());
    let varying = words.iter().any(|w| w == "varying");
    if word == "char" && varying || first == "national" && words.iter().any(|w| w.contains("var")) {
        word = "varchar".to_owned();
    } else if first == "national" {
        word = "char".to_owned();
    }
    if KNOWN.binary_search(&word.as_str()).is_err() {
        return Err(UnknownType { near: near(&first) });
    }
    let rest = &tokens[words.len().min(tokens.len())..];
    let arguments = arguments(rest);
    let after: Vec<String> =
        tokens.iter().filter(|t| t.kind == TokenKind::Word).map(|t| t.text.to_ascii_lowercase()).collect();
    let zerofill = after.iter().any(|w| w == "zerofill");
    let unsigned = zerofill || after.iter().any(|w| w == "unsigned");
    let mut out = word.clone();
    match (arguments, implied(flavor, &word, unsigned)) {
        (Some(given), _) if is_width(&word) && !flavor.shows_width() && !(word == "tinyint" && given == "1") => {}
        (Some(given), _) if word == "year" => out.push_str(if flavor.shows_width() {
            "(4)"
        } else {
            let _ = given;
            ""
        }),
        (Some(given), _) if given == "0" && matches!(word.as_str(), "datetime" | "timestamp" | "time") => {}
        (Some(given), _) if word == "decimal" && !given.contains(',') => out.push_str(&format!("({given},0)")),
        (Some(given), _) if word == "float" && !given.contains(',') => {
            if given.parse::<u32>().is_ok_and(|bits| bits > 24) {
                out = "double".to_owned();
            }
        }
        (Some(given), _) => out.push_str(&format!("({given})")),
        (None, Some(width)) => out.push_str(&format!("({width})")),
        (None, None) => {}
    }
    if unsigned {
        out.push_str(" unsigned");
    }
    if zerofill {
        out.push_str(" zerofill");
    }
    Ok(out)
}

/// What stands between the parentheses, in one spelling.
fn arguments(tokens: &[lex::Tok<'_>]) -> Option<String> {
    let open = tokens.iter().position(|t| t.is_sign("("))?;
    let close = tokens.iter().position(|t| t.is_sign(")"))?;
    let inner = tokens.get(open + 1..close)?;
    Some(
        inner
            .iter()
            .map(|t| match t.string() {
                Some(value) => literal(&value).replace("\\\\", "\\"),
                None => t.text.to_owned(),
            })
            .collect(),
    )
}

fn is_width(word: &str) -> bool {
    matches!(word, "tinyint" | "smallint" | "mediumint" | "int" | "bigint")
}

/// The argument that the catalog shows where none is given.
fn implied(flavor: &Flavor, word: &str, unsigned: bool) -> Option<&'static str> {
    let widths = flavor.shows_width();
    Some(match (word, unsigned) {
        ("tinyint", false) if widths => "4",
        ("tinyint", true) if widths => "3",
        ("smallint", false) if widths => "6",
        ("smallint", true) if widths => "5",
        ("mediumint", false) if widths => "9",
        ("mediumint", true) if widths => "8",
        ("int", false) if widths => "11",
        ("int", true) if widths => "10",
        ("bigint", _) if widths => "20",
        ("year", _) if widths => "4",
        ("decimal", _) => "10,0",
        ("char" | "binary" | "bit", _) => "1",
        _ => return None,
    })
}

/// The known type that is spelt most alike.
fn near(wrong: &str) -> Option<String> {
    let all = KNOWN.iter().copied().chain(SYNONYMS.iter().map(|(from, _)| *from));
    let ranked = all.map(|known| (distance(wrong, known), known.chars().next() != wrong.chars().next(), known));
    ranked.min().filter(|(d, ..)| *d <= 2).map(|(.., known)| known.to_owned())
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

/// The first word of a catalog type.
pub(crate) fn base(data_type: &str) -> &str {
    data_type.split(['(', ' ']).next().unwrap_or(data_type)
}

/// A condition that an expression of any type gives what is surely too large or too long for a type.
pub(crate) fn overflows(value: &str, data_type: &str) -> Option<String> {
    let unsigned = data_type.contains("unsigned");
    let range = match (base(data_type), unsigned) {
        ("tinyint", false) => "-128 AND 127",
        ("tinyint", true) => "0 AND 255",
        ("smallint", false) => "-32768 AND 32767",
        ("smallint", true) => "0 AND 65535",
        ("mediumint", false) => "-8388608 AND 8388607",
        ("mediumint", true) => "0 AND 16777215",
        ("int", false) => "-2147483648 AND 2147483647",
        ("int", true) => "0 AND 4294967295",
        ("bigint", false) => "-9223372036854775808 AND 9223372036854775807",
        ("bigint", true) => "0 AND 18446744073709551615",
        ("varchar" | "char", _) => {
            let length: u32 = argument(data_type)?.trim().parse().ok()?;
            return Some(format!("CHAR_LENGTH(TRIM(TRAILING ' ' FROM ({value}))) > {length}"));
        }
        _ => return None,
    };
    Some(format!("ROUND({value}) NOT BETWEEN {range}"))
}

/// Whether values of a type are text with a character set.
pub(crate) fn is_text(data_type: &str) -> bool {
    matches!(base(data_type), "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set")
}

/// Whether values of a type are bytes.
pub(crate) fn is_binary(data_type: &str) -> bool {
    matches!(base(data_type), "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "bit")
}

/// What stands between the parentheses of a catalog type.
pub(crate) fn argument(data_type: &str) -> Option<&str> {
    let open = data_type.find('(')?;
    let close = data_type.rfind(')')?;
    data_type.get(open + 1..close)
}

/// The members of an enum or set.
pub(crate) fn members(data_type: &str) -> Vec<String> {
    argument(data_type).map(|list| lex::tokens(list).iter().filter_map(lex::Tok::string).collect()).unwrap_or_default()
}

/// The smallest and largest value of an integer type.
pub(crate) fn range(data_type: &str) -> Option<(i128, i128)> {
    let bits: u32 = match base(data_type) {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        _ => return None,
    };
    let whole = 1i128 << bits;
    Some(if data_type.contains("unsigned") { (0, whole - 1) } else { (-whole / 2, whole / 2 - 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_become_the_catalogs() {
        let maria = Flavor::parse("mariadb-10.11/utf8mb4_general_ci");
        for (said, is) in [
            ("int", "int(11)"),
            ("INTEGER UNSIGNED", "int(10) unsigned"),
            ("int(5) zerofill", "int(5) unsigned zerofill"),
            ("bool", "tinyint(1)"),
            ("numeric", "decimal(10,0)"),
            ("decimal(12, 2)", "decimal(12,2)"),
            ("dec(5)", "decimal(5,0)"),
            ("varchar(20)", "varchar(20)"),
            ("character varying(20)", "varchar(20)"),
            ("double precision", "double"),
            ("datetime(0)", "datetime"),
            ("timestamp(3)", "timestamp(3)"),
            ("enum(\"a\", 'it''s')", "enum('a','it''s')"),
            ("year", "year(4)"),
            ("json", "json"),
        ] {
            assert_eq!(canonical(&maria, said).unwrap(), is, "{said}");
        }
        assert_eq!(canonical(&Flavor::parse("mysql-8.4/x"), "int(11)").unwrap(), "int");
        assert_eq!(canonical(&maria, "itn").unwrap_err().near.unwrap(), "int");
        assert!(KNOWN.is_sorted());
    }
}
