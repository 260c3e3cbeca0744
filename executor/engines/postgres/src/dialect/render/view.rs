//! Views as SQL.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Complaint, Hazard, HazardCode, ObjectKind, Rendered, Schema, kind::Replace, schema::View,
};

use super::{
    META, WORK, meta,
    table::{parameter, parameters},
    transaction,
};
use crate::dialect::names::{list, literal, qualified, quote_text};

/// Before the name of a view's column: the setting with the comment on it.
pub(crate) const COMMENT: &str = "comment.";

/// Before the name of a view's column: the setting with its default, which rows written through the view get.
pub(crate) const DEFAULT: &str = "default.";

/// The statements that make a view, with what is said of its columns.
pub(crate) fn create_sql(at: &Address, view: &View) -> Vec<String> {
    let mut sql = bare_sql(at, view);
    sql.extend(column_changes(at, &BTreeMap::new(), &view.options));
    sql
}

/// What is said of columns, from some settings to others.
fn column_changes(at: &Address, from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Vec<String> {
    let name = qualified(&at.qualified());
    let changed = from.keys().chain(to.keys()).filter(|key| from.get(*key) != to.get(*key));
    let statement = |key: &String| {
        let value = to.get(key);
        if let Some(column) = key.strip_prefix(COMMENT) {
            let text = value.map_or_else(|| "NULL".to_owned(), |text| literal(text));
            return Some(format!("COMMENT ON COLUMN {name}.{} IS {text}", quote_text(column)));
        }
        let column = key.strip_prefix(DEFAULT)?;
        let what = value.map_or_else(|| "DROP DEFAULT".to_owned(), |value| format!("SET DEFAULT {value}"));
        Some(format!("ALTER VIEW {name} ALTER COLUMN {} {what}", quote_text(column)))
    };
    changed.collect::<BTreeSet<_>>().into_iter().filter_map(statement).collect()
}

/// Whether two forms of a view differ only in what can be changed under those who use it.
pub(crate) fn changes_in_place(from: &View, to: &View) -> bool {
    let fixed = |view: &View| -> BTreeMap<String, String> {
        let mut options = view.options.clone();
        options.retain(|key, _| ![COMMENT, DEFAULT, WITH].iter().any(|p| key.starts_with(p)) && !is_setting(key));
        options
    };
    from.query == to.query && from.columns == to.columns && fixed(from) == fixed(to)
}

/// Before a storage parameter of a materialized view.
const WITH: &str = "with.";

/// Whether a view can get and lose a setting.
fn is_setting(key: &str) -> bool {
    matches!(key, "security_barrier" | "security_invoker" | "check_option")
}

/// The settings of a view under those who use it.
fn settings_changes(at: &Address, from: &View, to: &View) -> Vec<String> {
    let alter = format!("ALTER {}", super::object::noun(at));
    let own = |key: &&String| is_setting(key) || key.starts_with(WITH);
    let keys: BTreeSet<_> = from.options.keys().chain(to.options.keys()).filter(own).collect();
    let changed = keys.into_iter().filter(|key| from.options.get(*key) != to.options.get(*key));
    let statement = |key: &String| {
        let name = key.strip_prefix(WITH).unwrap_or(key);
        match to.options.get(key) {
            Some(value) => format!("{alter} SET ({name} = {})", parameter(value)),
            None => format!("{alter} RESET ({name})"),
        }
    };
    let mut sql: Vec<_> = changed.map(statement).collect();
    sql.extend(column_changes(at, &from.options, &to.options));
    sql
}

fn bare_sql(at: &Address, view: &View) -> Vec<String> {
    let name = qualified(&at.qualified());
    let columns = if view.columns.is_empty() { String::new() } else { format!(" ({})", list(&view.columns)) };
    let query = view.query.as_str().trim().trim_end_matches(';').trim();
    if at.kind() == ObjectKind::MaterializedView {
        let with = parameters(&view.options).map(|w| format!(" WITH ({w})")).unwrap_or_default();
        let space =
            view.options.get("tablespace").map(|t| format!(" TABLESPACE {}", quote_text(t))).unwrap_or_default();
        let data = if view.options.contains_key("with_no_data") { "\nWITH NO DATA" } else { "" };
        return vec![format!("CREATE MATERIALIZED VIEW {name}{columns}{with}{space} AS\n{query}{data}")];
    }
    let settings = ["security_barrier", "security_invoker"].into_iter();
    let settings = settings.filter_map(|key| Some(format!("{key} = {}", view.options.get(key)?)));
    let settings: Vec<_> = settings.collect();
    let with = if settings.is_empty() { String::new() } else { format!(" WITH ({})", settings.join(", ")) };
    let check = view.options.get("check_option");
    let check = check.map(|kind| format!("\nWITH {} CHECK OPTION", kind.to_uppercase())).unwrap_or_default();
    vec![format!("CREATE VIEW {name}{columns}{with} AS\n{query}{check}")]
}

/// The SQL that exchanges a view: dropped and made again in one transaction, with its indexes and triggers.
pub(crate) fn replace(change: &Replace, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    let at = &change.at;
    let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on {}, an instant", qualified(&at.qualified())));
    if let (Body::View(from), Body::View(to)) = (&change.from.body, &change.to.body)
        && changes_in_place(from, to)
    {
        let mut sql = settings_changes(at, from, to);
        if change.from.comment != change.to.comment {
            sql.push(super::object::comment(at, change.to.comment.as_deref(), Some(after)));
        }
        out.action = transaction(sql, META);
        let security = |view: &View| view.options.get("security_invoker").cloned();
        if security(from) != security(to) {
            let says = "with whose rights the tables under it are read changes";
            out.hazards.push(Hazard::new(HazardCode::ChangesAccess, at, says));
        }
        return Ok(out);
    }
    let mut sql = vec![format!("DROP {}", super::object::noun(at))];
    sql.extend(super::object::create_sql(at, &change.to, after)?);
    for (address, object) in &after.objects {
        let on_it = match &object.body {
            Body::Index(index) => index.table == at.qualified(),
            _ => {
                matches!(address.kind(), ObjectKind::Trigger | ObjectKind::Rule)
                    && address.relation() == Some(at.qualified())
            }
        };
        if on_it && before.objects.get(address) == Some(object) {
            sql.extend(super::object::create_sql(address, object, after)?);
        }
    }
    let filled = at.kind() == ObjectKind::MaterializedView;
    out.action = transaction(sql, if filled { WORK } else { META });
    if filled {
        out.lock =
            format!("ACCESS EXCLUSIVE on {}, while it is filled again: readers wait", qualified(&at.qualified()));
    }
    let says = "readers wait a moment";
    out.hazards.push(Hazard::new(HazardCode::RecreatesView, at, says));
    Ok(out)
}
