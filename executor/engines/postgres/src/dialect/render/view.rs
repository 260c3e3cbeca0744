//! Views as SQL.

use mig_plan::{
    Address, Body, Complaint, Hazard, HazardCode, ObjectKind, Rendered, Schema, kind::Replace, schema::View,
};

use super::{META, WORK, meta, table::parameters, transaction};
use crate::dialect::names::{list, qualified, quote_text};

/// The statements that make a view.
pub(crate) fn create_sql(at: &Address, view: &View) -> Vec<String> {
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
