//! The SQL of each change, and of its way back.

mod backfill;
mod plain;
mod populate;
pub(crate) mod rebuild;
mod revise;
mod rows;
pub(crate) mod source;
pub(crate) mod tighten;
mod withdraw;

use mig_plan::{Action, Complaint, Kind, Rendered, RenderedUndo, Schema, Table, table::Column};

use super::{normalize::complaint, types};

/// The SQL of a change.
pub(crate) fn render(change: &Kind, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    match change {
        Kind::Create(create) => plain::create(create, before),
        Kind::Drop(drop) => plain::drop(change, drop, before),
        Kind::Replace(replace) => plain::replace(replace),
        Kind::Rename(rename) => plain::rename(rename, before, after),
        Kind::RenameMember(rename) => plain::rename_member(rename, after),
        Kind::AddColumn(add) => plain::add_column(add, after),
        Kind::DropColumn(drop) => plain::drop_column(change, drop, before),
        Kind::Rebuild(rebuild) => rebuild::render(change, rebuild, before, after),
        Kind::Backfill(fill) => backfill::render(change, fill, before),
        Kind::Populate(populate) => populate::render(populate, before),
        Kind::Filling(filling) => Ok(revise::filling(filling)),
        Kind::Revise(revise) => revise::render(revise, before),
        Kind::Rows(declared) => Ok(rows::render(change, declared)),
        Kind::Withdraw(k) => withdraw::render(change, k, before),
        Kind::Comment(_) | Kind::Privileges(_) | Kind::ValidateConstraint(_) | Kind::Mark(_) => Ok(plain::nothing()),
        Kind::AlterTable(_)
        | Kind::AlterColumn(_)
        | Kind::AddConstraint(_)
        | Kind::DropConstraint(_)
        | Kind::Release(_)
        | Kind::OnReturn(_)
        | Kind::RenameValue(_)
        | Kind::BuildKey(_)
        | Kind::AdoptKey(_)
        | Kind::AdoptType(_)
        | Kind::Discard(_)
        | Kind::Sync(_)
        | Kind::Exchange(_)
        | Kind::Unsync(_)
        | Kind::Settle(_)
        | Kind::Unsettle(_)
        | Kind::Serve(_)
        | Kind::Regroup(_)
        | Kind::Keep(_)
        | Kind::KeepRows(_)
        | Kind::Leave(_)
        | Kind::Rejoin(_)
        | Kind::Unkeep(_)
        | Kind::Tie(_)
        | Kind::Untie(_)
        | Kind::CopyRows(_)
        | Kind::Swap(_)
        | Kind::Finish(_) => Err(alone(change)),
    }
}

/// The SQL of the way back.
pub(crate) fn undo(change: &Kind, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint> {
    match change {
        Kind::Create(create) => plain::undo_create(create, before),
        Kind::Drop(drop) => plain::undo_drop(change, drop),
        Kind::Replace(replace) => plain::undo_replace(replace),
        Kind::Rename(rename) => plain::undo_rename(rename, before, after),
        Kind::RenameMember(rename) => plain::undo_rename_member(rename, before),
        Kind::AddColumn(add) => plain::undo_add_column(add),
        Kind::DropColumn(drop) => plain::undo_drop_column(change, drop, before, after),
        Kind::Rebuild(rebuild) => rebuild::render_undo(change, rebuild, before, after),
        Kind::Backfill(fill) => backfill::render_undo(change, fill, before),
        Kind::Rows(declared) => Ok(rows::render_undo(change, declared)),
        Kind::Withdraw(k) => withdraw::render_undo(change, k, before),
        Kind::Filling(filling) => Ok(revise::forget(filling)),
        Kind::Populate(_) | Kind::Revise(_) => Ok(RenderedUndo {
            says: "Leaves the rows; they go with their table.".to_owned(),
            action: Action::Nothing {},
            hazards: Vec::new(),
        }),
        Kind::Comment(_) | Kind::Privileges(_) | Kind::ValidateConstraint(_) | Kind::Mark(_) => Ok(RenderedUndo {
            says: "Nothing was changed in the database.".to_owned(),
            action: Action::Nothing {},
            hazards: Vec::new(),
        }),
        Kind::AlterTable(_)
        | Kind::AlterColumn(_)
        | Kind::AddConstraint(_)
        | Kind::DropConstraint(_)
        | Kind::Release(_)
        | Kind::OnReturn(_)
        | Kind::RenameValue(_)
        | Kind::BuildKey(_)
        | Kind::AdoptKey(_)
        | Kind::AdoptType(_)
        | Kind::Discard(_)
        | Kind::Sync(_)
        | Kind::Exchange(_)
        | Kind::Unsync(_)
        | Kind::Settle(_)
        | Kind::Unsettle(_)
        | Kind::Serve(_)
        | Kind::Regroup(_)
        | Kind::Keep(_)
        | Kind::KeepRows(_)
        | Kind::Leave(_)
        | Kind::Rejoin(_)
        | Kind::Unkeep(_)
        | Kind::Tie(_)
        | Kind::Untie(_)
        | Kind::CopyRows(_)
        | Kind::Swap(_)
        | Kind::Finish(_) => Err(alone(change)),
    }
}

fn alone(change: &Kind) -> Complaint {
    let says = format!("SQLite cannot {} in place; the table has to be rebuilt", change.slug().replace('-', " "));
    complaint(&change.address(), says, None)
}

/// Whether values of a column can change when they are stored in another.
pub(crate) fn lossy(from: &Table, column: &Column, to: &Table, other: &Column) -> bool {
    let affinity = |table: &Table, column: &Column| types::affinity(&column.data_type, super::shape::is_strict(table));
    let (was, is) = (affinity(from, column), affinity(to, other));
    let own = |column: &Column| !rebuild::is_generated(&column.value);
    own(column) && (!own(other) || was != is && is != types::Affinity::Blob)
}
