//! What only a rollback does, as SQL: everything that takes long, beside running clients.

use mig_plan::{
    Action, Body, Complaint, Kind, RenderedUndo, Schema,
    kind::{OnReturn, Release},
};

use super::{META, WORK, alone, backfill, column, constraint, index, key, transaction};
use crate::dialect::{
    names::{qualified, quote},
    recipe::unasked,
};

/// The undo of a step that does nothing on the way there.
///
/// # Errors
/// If nothing of the kind is ever left to a rollback.
pub(crate) fn on_return(change: &OnReturn, before: &Schema) -> Result<RenderedUndo, Complaint> {
    let at = change.change.address();
    let (says, action) = match &*change.change {
        Kind::Backfill(k) => (
            format!("gives {at} what the columns held, batch by batch, beside running clients"),
            backfill::render(k, before)?.action,
        ),
        Kind::AddConstraint(k) => (format!("holds {at} for new rows"), transaction(constraint::add_sql(k), META)),
        Kind::DropConstraint(k) => {
            ("the proof has served".to_owned(), transaction(vec![constraint::drop_sql(k)], META))
        }
        Kind::ValidateConstraint(k) => {
            let sql = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", qualified(&k.table), quote(&k.name));
            (format!("proves {at} for existing rows, beside running clients"), alone(&sql, WORK))
        }
        Kind::AlterColumn(k) => (
            format!("makes {at} required; the proof spares the scan"),
            transaction(column::alter_sql(k, before)?, META),
        ),
        Kind::BuildKey(k) => match &k.object.body {
            Body::Index(of) => {
                let says = format!("builds the index of {} over the old columns, beside running clients", k.key);
                (says, index::built_beside(&k.at, &k.object, of))
            }
            _ => return Err(unasked(&change.change)),
        },
        other => return Err(unasked(other)),
    };
    Ok(RenderedUndo { says, action, hazards: vec![] })
}

/// The undo of a step that drops a constraint for which others prepare the way back.
///
/// # Errors
/// If it comes back in another way than constraints do.
pub(crate) fn released(change: &Release) -> Result<RenderedUndo, Complaint> {
    let name = &change.drop.name;
    let (says, action): (String, Action) = match &*change.back {
        Kind::AdoptKey(k) => (format!("makes the index that is built by then the one of {name}"), key::adopt(k).action),
        Kind::AddConstraint(k) => (
            format!("adds {name} again for new rows; it is proved after that"),
            transaction(constraint::add_sql(k), META),
        ),
        other => return Err(unasked(other)),
    };
    Ok(RenderedUndo { says, action, hazards: vec![] })
}
