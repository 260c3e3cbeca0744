//! A table's own settings as SQL.

use std::collections::BTreeMap;

use mig_plan::{Complaint, Hazard, HazardCode, Rendered, Schema, kind::AlterTable};

use super::{
    limit, meta,
    table::{clustered_on, parameter, path, replica_identity, row_security},
};
use crate::dialect::{
    inherit,
    names::{qualified, quote_text},
};

/// Settings that only a new table can have.
const FIXED: &[&str] = &["partition_by"];

/// The SQL that changes the settings of a table.
pub(crate) fn alter(k: &AlterTable, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    let at = mig_plan::Address::table(&k.table);
    let name = qualified(&k.table);
    if let Some(fixed) = FIXED.iter().find(|key| k.from.get(**key) != k.to.get(**key)) {
        let says = format!("PostgreSQL cannot change `{fixed}` of a table that is there");
        let help = Some("make a new table with it, move the rows, and drop the old one".to_owned());
        return Err(Complaint { at, says, help });
    }
    let alter = |what: String| format!("ALTER TABLE {name} {what}");
    let changed = |key: &str| k.from.get(key) != k.to.get(key);
    let mut sql = Vec::new();
    let mut hazards = Vec::new();
    if changed("unlogged") {
        sql.push(alter(if k.to.contains_key("unlogged") { "SET UNLOGGED" } else { "SET LOGGED" }.to_owned()));
        hazards.push(Hazard::new(
            HazardCode::RewriteUnderLock,
            &at,
            "the table is written anew; readers and writers wait",
        ));
    }
    if changed("access_method") {
        let method = k.to.get("access_method").map_or("heap", String::as_str);
        sql.push(alter(format!("SET ACCESS METHOD {}", quote_text(method))));
        hazards.push(Hazard::new(
            HazardCode::RewriteUnderLock,
            &at,
            "the table is written anew; readers and writers wait",
        ));
    }
    if changed("tablespace") {
        let space = k.to.get("tablespace").map_or("pg_default", String::as_str);
        sql.push(alter(format!("SET TABLESPACE {}", quote_text(space))));
        hazards.push(Hazard::new(
            HazardCode::RewriteUnderLock,
            &at,
            "the table's files are copied; readers and writers wait",
        ));
    }
    sql.extend(parameters(&name, &k.from, &k.to));
    if changed("of_type") {
        let of = k.to.get("of_type").map_or_else(|| "NOT OF".to_owned(), |of| format!("OF {}", path(of)));
        sql.push(alter(of));
    }
    if changed("inherits") {
        let parents = |of: &BTreeMap<String, String>| -> Vec<String> {
            of.get("inherits").into_iter().flat_map(|p| p.split(',')).map(|p| p.trim().to_owned()).collect()
        };
        let (old, new) = (parents(&k.from), parents(&k.to));
        sql.extend(old.iter().filter(|p| !new.contains(p)).map(|p| alter(format!("NO INHERIT {}", path(p)))));
        sql.extend(new.iter().filter(|p| !old.contains(p)).map(|p| alter(format!("INHERIT {}", path(p)))));
    }
    sql.extend(partition(&name, k, after));
    sql.extend(super::regroup::share_names(&k.table, &k.from, &k.to, (before, after)));
    if changed("row_security") {
        let level = |of: &BTreeMap<String, String>| of.get("row_security").cloned();
        sql.extend(row_security(&name, level(&k.from).as_deref(), level(&k.to).as_deref()));
        hazards.push(Hazard::new(HazardCode::ChangesAccess, &at, "which rows a role may see or write changes"));
    }
    if changed("replica_identity") {
        let identity = k.to.get("replica_identity").map_or("default", String::as_str);
        sql.push(alter(format!("REPLICA IDENTITY {}", replica_identity(identity))));
    }
    if changed("clustered_on") {
        sql.push(clustered_on(&name, k.to.get("clustered_on")));
    }
    let rewrites = hazards.iter().any(|h| h.code == HazardCode::RewriteUnderLock);
    let mut rendered = meta(sql, format!("ACCESS EXCLUSIVE on {name}"));
    if rewrites {
        limit(&mut rendered.action, super::WORK);
    }
    rendered.hazards = hazards;
    if let (true, Some(is), Some(parent)) = (changed("bound"), after.table(&k.table), k.to.get("partition_of"))
        && let Some(parent) = inherit::path_of(parent)
    {
        rendered.checks = super::regroup::place_checks(&k.table, &parent, is, before, after);
    }
    Ok(rendered)
}

fn parameters(name: &str, from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Vec<String> {
    let with = |of: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        of.iter().filter_map(|(k, v)| Some((k.strip_prefix("with.")?.to_owned(), v.clone()))).collect()
    };
    let (old, new) = (with(from), with(to));
    let set: Vec<_> =
        new.iter().filter(|(k, v)| old.get(*k) != Some(v)).map(|(k, v)| format!("{k} = {}", parameter(v))).collect();
    let reset: Vec<_> = old.keys().filter(|k| !new.contains_key(*k)).cloned().collect();
    let mut sql = Vec::new();
    if !set.is_empty() {
        sql.push(format!("ALTER TABLE {name} SET ({})", set.join(", ")));
    }
    if !reset.is_empty() {
        sql.push(format!("ALTER TABLE {name} RESET ({})", reset.join(", ")));
    }
    sql
}

fn partition(name: &str, k: &AlterTable, after: &Schema) -> Vec<String> {
    let place = |of: &BTreeMap<String, String>| Some((of.get("partition_of")?.clone(), of.get("bound").cloned()));
    let (old, new) = (place(&k.from), place(&k.to));
    if old == new {
        return Vec::new();
    }
    let mut sql = Vec::new();
    if let Some((parent, _)) = old {
        sql.push(format!("ALTER TABLE {} DETACH PARTITION {name}", path(&parent)));
    }
    if let Some((parent, bound)) = new {
        let bound = bound.unwrap_or_else(|| "DEFAULT".to_owned());
        let parent = inherit::path_of(&parent).into_iter();
        sql.extend(parent.flat_map(|parent| super::regroup::attach(&k.table, &parent, &bound, after)));
    }
    sql
}
