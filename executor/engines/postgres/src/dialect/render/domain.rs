//! Domains as SQL.

use mig_plan::{
    Address, Column, Complaint, DraftCheck, Hazard, HazardCode, Name, Qualified, Rendered, Schema, Sql, kind::Replace,
    plan::CheckSql, schema::Domain,
};

use super::{META, WORK, anew, around, meta, transaction};
use crate::dialect::{
    casts,
    names::{literal, qualified, quote},
};

/// The statements that make a domain, with the comments on its checks.
pub(crate) fn created(name: &str, domain: &Domain) -> Vec<String> {
    let said = domain.comments.iter().map(|(check, text)| remark(name, check, Some(text)));
    // A domain over another has taken that one's default.
    let inherits = domain.default.is_none() && domain.base.contains('.');
    let none = inherits.then(|| format!("ALTER DOMAIN {name} DROP DEFAULT"));
    [create_sql(name, domain)].into_iter().chain(none).chain(said).collect()
}

/// The comment on a check; `None` takes it away.
fn remark(name: &str, check: &Name, text: Option<&String>) -> String {
    let text = text.map_or_else(|| "NULL".to_owned(), |text| literal(text));
    format!("COMMENT ON CONSTRAINT {} ON DOMAIN {name} IS {text}", quote(check))
}

/// `CREATE DOMAIN`.
fn create_sql(name: &str, domain: &Domain) -> String {
    let mut out = format!("CREATE DOMAIN {name} AS {}", domain.base);
    if let Some(collation) = &domain.collation {
        out.push_str(&format!(" COLLATE {collation}"));
    }
    if let Some(default) = &domain.default {
        out.push_str(&format!(" DEFAULT {default}"));
    }
    if domain.not_null {
        out.push_str(" NOT NULL");
    }
    for (check, expression) in &domain.checks {
        out.push_str(&format!("\n    CONSTRAINT {} CHECK ({expression})", quote(check)));
    }
    out
}

/// The SQL of a changed domain: in place where its base stays, else made anew under its columns.
pub(crate) fn replace(change: &Replace, from: &Domain, to: &Domain, before: &Schema) -> Result<Rendered, Complaint> {
    let name = qualified(&change.at.qualified());
    if from.base == to.base && from.collation == to.collation {
        let mut out = meta(vec![], format!("a lock on domain {name} and its tables, while their rows are checked"));
        let mut sql = change_sql(&name, from, to);
        if change.from.comment != change.to.comment {
            sql.push(super::object::comment(&change.at, change.to.comment.as_deref(), None));
        }
        let tightens =
            (to.not_null && !from.not_null) || to.checks.iter().any(|(n, text)| from.checks.get(n) != Some(text));
        out.action = transaction(sql, if tightens { WORK } else { META });
        if tightens {
            let says = "rows that running clients still write may break it; existing ones stop it";
            out.hazards.push(Hazard::new(HazardCode::TightensRule, &change.at, says));
            out.checks = columns_of(change, before).iter().filter_map(|(t, c)| obeys(t, c, from, to, before)).collect();
        }
        let in_array = |(_, column): &(Qualified, &Column)| column.data_type.ends_with("[]");
        let inside = || anew::columns_of(&change.at.qualified(), before).iter().any(in_array);
        if tightens && (inside() || anew::is_held_inside(&change.at, before)) {
            anew::divides_none(&change.at, before)?;
            // The server looks neither into arrays nor into composite values: it refuses to tighten a domain of which there are some.
            let base = &from.base;
            let cast =
                |column: &Column, value: &str, array: &str| Ok(format!("{value}::{base}{array}::{}", column.data_type));
            let sql = anew::sql(&change.at, &change.to, before, &cast)?;
            out.action = transaction(around::without_dependants(&change.at, before, sql)?, WORK);
            let says = format!("every column of {name} is written anew under exclusive locks");
            out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, &change.at, says));
        }
        return Ok(out);
    }
    anew::divides_none(&change.at, before)?;
    let (old, new) = (from.base.clone(), to.base.clone());
    let through = if casts::known::exists(&old, &new, before) { new } else { "text".to_owned() };
    let cast = |column: &Column, value: &str, array: &str| {
        Ok(format!("{value}::{old}{array}::{through}{array}::{}", column.data_type))
    };
    let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on every table with {name}, while every row is written"));
    out.action = transaction(anew::sql(&change.at, &change.to, before, &cast)?, WORK);
    let says = format!("every column of {name} is written anew under exclusive locks");
    out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, &change.at, says));
    if !matches!(casts::fit_types(&from.base, &to.base), casts::Fit::Metadata | casts::Fit::Rewrite) {
        let says = format!("values of {} may not become {}, or lose something, for good", from.base, to.base);
        out.hazards.push(Hazard::new(HazardCode::CastMayFail, &change.at, says));
    }
    Ok(out)
}

fn columns_of<'a>(change: &Replace, schema: &'a Schema) -> Vec<(Qualified, &'a Column)> {
    let all = anew::columns_of(&change.at.qualified(), schema);
    all.into_iter().filter(|(_, c)| !c.data_type.ends_with("[]")).collect()
}

/// The question whether the values of a column obey what the domain demands anew. A function that may not be there yet cannot be asked.
fn obeys(table: &Qualified, column: &Column, from: &Domain, to: &Domain, schema: &Schema) -> Option<DraftCheck> {
    let (name, quoted) = (qualified(table), quote(&column.name));
    let own = casts::known::functions(schema);
    let value = Name::new("value").ok()?;
    let new = to.checks.iter().filter(|(n, text)| from.checks.get(*n) != Some(*text)).map(|(_, text)| text);
    let askable = new.filter(|text| !own.iter().any(|function| text.mentions(function)));
    let broken = |text: &Sql| {
        let asked = text.with_name_replaced(&value, &value, |_| format!("({quoted}::{})", to.base));
        format!("NOT ({asked})")
    };
    let mut wrong: Vec<String> = askable.map(broken).collect();
    if to.not_null && !from.not_null {
        wrong.push(format!("{quoted} IS NULL"));
    }
    let wrong = (!wrong.is_empty()).then(|| wrong.join(" OR "))?;
    Some(DraftCheck {
        at: Address::column(table, &column.name),
        says: format!("every {} of {table} obeys what its domain demands from then on", column.name),
        help: vec![
            "change or delete these rows".to_owned(),
            "give them their values with a transform".to_owned(),
            "loosen the domain".to_owned(),
        ],
        count: CheckSql::new(format!("SELECT count(*) FROM {name} WHERE {wrong}")),
        sample: Some(CheckSql::new(format!("SELECT {quoted}::text FROM {name} WHERE {wrong} LIMIT 5"))),
        stops: !super::enums::is_one(&to.base, schema),
    })
}

fn change_sql(name: &str, from: &Domain, to: &Domain) -> Vec<String> {
    let mut sql = Vec::new();
    let same = |check: &mig_plan::Name, text: &Sql| to.checks.get(check) == Some(text);
    for (check, _) in from.checks.iter().filter(|(check, text)| !same(check, text)) {
        sql.push(format!("ALTER DOMAIN {name} DROP CONSTRAINT {}", quote(check)));
    }
    match &to.default {
        Some(value) if from.default != to.default => sql.push(format!("ALTER DOMAIN {name} SET DEFAULT {value}")),
        None if from.default.is_some() => sql.push(format!("ALTER DOMAIN {name} DROP DEFAULT")),
        _ => {}
    }
    if from.not_null != to.not_null {
        sql.push(format!("ALTER DOMAIN {name} {} NOT NULL", if to.not_null { "SET" } else { "DROP" }));
    }
    for (check, text) in to.checks.iter().filter(|(check, text)| from.checks.get(*check) != Some(*text)) {
        sql.push(format!("ALTER DOMAIN {name} ADD CONSTRAINT {} CHECK ({text})", quote(check)));
    }
    for check in to.checks.keys() {
        let had = from.comments.get(check).filter(|_| from.checks.get(check) == to.checks.get(check));
        let has = to.comments.get(check);
        if had != has {
            sql.push(remark(name, check, has));
        }
    }
    sql
}
