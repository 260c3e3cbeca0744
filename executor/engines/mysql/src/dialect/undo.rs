//! How changes are taken back.

use mig_plan::{
    Action, Body, Complaint, Kind, RenderedUndo, Schema,
    kind::{Drop, DropColumn},
};

use super::{
    backfill, define, kept,
    names::{list, quote},
    object, online,
    render::{action, alone, column_key, prepared},
    retyped, revise, rows, shadow, table, withdraw,
};
use crate::flavor::Flavor;

/// The SQL that takes a change back; `before` and `after` are the schema around the change.
pub(crate) fn undo(flavor: &Flavor, change: &Kind, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint> {
    match change {
        Kind::Rows(k) => Ok(rows::undo(change, k)),
        Kind::Withdraw(k) => withdraw::undo(change, k, before),
        Kind::Mark(_) => Ok(RenderedUndo {
            says: "nothing: the table leaves".to_owned(),
            action: Action::Nothing {},
            hazards: vec![],
        }),
        Kind::Filling(k) => Ok(done("forgets that it was filled".to_owned(), revise::forget(k))),
        Kind::Populate(_) | Kind::Revise(_) => Ok(RenderedUndo {
            says: "nothing: the rows leave with their table".to_owned(),
            action: Action::Nothing {},
            hazards: vec![],
        }),
        Kind::Backfill(k) => Ok(backfill::undo(flavor, k, before)),
        Kind::CopyRows(_) => Ok(done("nothing: the copy leaves with its table".to_owned(), Action::Nothing {})),
        Kind::Swap(k) => Ok(shadow::unswap(k)),
        Kind::Finish(k) => shadow::unsettle(flavor, k, before),
        Kind::Create(k) if !matches!(k.object.body, Body::Index(_)) => {
            Ok(done(format!("drops {}", k.at), alone(object::drop(&k.at, &k.object)?)))
        }
        Kind::Drop(Drop { at, object, .. }) if matches!(object.body, Body::Table(_) | Body::Sequence(_)) => {
            let sql = format!("RENAME TABLE {} TO {}", quote(&kept::trash(change)), quote(at.name()));
            Ok(done(format!("moves {at} back with all it held"), alone(sql)))
        }
        Kind::DropColumn(k) => column_back(flavor, change, k, before, after),
        Kind::AddColumn(k) => {
            let reverse = Kind::from(DropColumn { table: k.table.clone(), column: k.column.clone() });
            let clauses = table::clauses(flavor, &reverse, after, before).unwrap_or_default();
            let sql = clauses.statement(&k.table, online::demanded(flavor, &reverse, after));
            Ok(done(format!("drops {}", change.address()), alone(sql)))
        }
        _ => {
            let Some(reverse) = change.reverse(before) else {
                return Ok(done("nothing".to_owned(), Action::Nothing {}));
            };
            let lost = retyped::lost(change, before);
            let names = lost.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let without = match lost.as_slice() {
                [] => String::new(),
                _ => format!(", without what its type took from the values of {names}"),
            };
            if let Some(values) = retyped::of(change, before) {
                let clauses = table::clauses(flavor, &reverse, after, before).unwrap_or_default();
                let undo = values.back(flavor, clauses, before);
                return Ok(RenderedUndo { says: format!("{}{without}", undo.says), ..undo });
            }
            let says = format!("{}{without}", change.taken_back());
            Ok(done(says, action(flavor, &reverse, after, before)?))
        }
    }
}

fn done(says: String, action: Action) -> RenderedUndo {
    RenderedUndo { says, action, hazards: vec![] }
}

/// Brings a dropped column back: under a name that nobody sees it is filled, then it gets its name and form in one statement.
fn column_back(
    flavor: &Flavor,
    change: &Kind,
    k: &DropColumn,
    before: &Schema,
    after: &Schema,
) -> Result<RenderedUndo, Complaint> {
    let Some(key) = column_key(k, before) else {
        let reverse = change.reverse(before).ok_or_else(|| super::render::missing(&change.address()))?;
        let action = action(flavor, &reverse, after, before)?;
        return Ok(done(format!("adds {} again without its values", change.address()), action));
    };
    let was = before.table(&k.table).cloned().unwrap_or_default();
    let (name, back) = (quote(&k.table.name), kept::returning(&k.column.name));
    let mut bare = k.column.clone();
    bare.name.clone_from(&back);
    bare.not_null = false;
    bare.options.clear();
    if matches!(bare.value, mig_plan::ColumnValue::Identity { .. }) {
        bare.value = mig_plan::ColumnValue::Plain;
    }
    let source = quote(&kept::values(change));
    let there = after.table(&k.table).cloned().unwrap_or_default();
    let not_exists = flavor.if_not_exists();
    let comes = format!("ALTER TABLE {name} ADD COLUMN {not_exists}{}", define::column(flavor, &was, &bare));
    let stays = kept::undated(&there, "t", &[]);
    let set = format!("SET t.{} = k.{}{stays}", quote(&back), quote(&k.column.name));
    let full = define::column(flavor, &was, &k.column);
    let place = table::position(&was, &there, &k.column.name);
    let last = format!("ALTER TABLE {name} CHANGE COLUMN {} {full}{place}", quote(&back));
    let (prepare, sql) = match &key {
        // Rows that are alike in all else get one value each.
        kept::Finds::Rest(others) if !there.columns.iter().any(online::is_identity) => {
            let row = quote(&kept::row());
            let others = list(others);
            let nth = |of: &str, what: &str, order: &str| {
                format!(
                    "(SELECT {what}, ROW_NUMBER() OVER (PARTITION BY {others} ORDER BY {order}) AS _mig_nth FROM {of})"
                )
            };
            let rows = nth(&name, &row, &row);
            let values = nth(&source, &format!("{others}, {}", quote(&k.column.name)), &quote(&k.column.name));
            // A key that is unique would have to hold the columns that a table is divided by.
            let number = format!(
                ", ADD COLUMN {not_exists}{row} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, ADD KEY {not_exists}{row} ({row})"
            );
            let join = format!(
                "JOIN {rows} AS r ON r.{row} = t.{row}\n  JOIN {values} AS k ON k._mig_nth = r._mig_nth AND {}",
                key.same("t", "k")
            );
            (
                vec![comes + &number, format!("UPDATE {name} AS t\n  {join}\n{set}")],
                format!("{last},\n  DROP COLUMN {row}"),
            )
        }
        _ => (vec![comes, format!("UPDATE {name} AS t JOIN {source} AS k ON {} {set}", key.same("t", "k"))], last),
    };
    let says =
        format!("adds {} again with the values that were kept; rows that came later have none", change.address());
    Ok(done(says, prepared(prepare, sql)))
}
