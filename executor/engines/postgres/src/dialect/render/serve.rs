//! Renamed columns that are served under their old names, as SQL.

use mig_plan::{
    Address, Hazard, HazardCode, Rendered,
    kind::{Serve, Twin, Twins},
};

use super::{
    backfill::same_value,
    locked, meta,
    twins::{self, OWN},
};
use crate::dialect::names::{field, qualified, quote};

/// The trigger's function while both names are served. Only clients of the old schema write under the old name, so what an INSERT has
/// there is what was meant; an UPDATE is told by what it changes.
pub(super) fn function(twins: &Twins) -> String {
    let name = format!("{OWN}.{}", quote(&twins.trigger));
    let inserted = twins.pairs.iter().map(|pair| {
        let (new, old) = (field(&pair.column), field(&pair.hidden.name));
        format!(
            "        IF NEW.{old} IS NOT NULL THEN\n            NEW.{new} := NEW.{old};\n        ELSE\n            NEW.{old} := NEW.{new};\n        \
             END IF;\n"
        )
    });
    let updated = twins.pairs.iter().map(|pair| {
        let (new, old) = (field(&pair.column), field(&pair.hidden.name));
        let kept = same(pair, &format!("NEW.{new}"), &format!("OLD.{new}"));
        let written = same(pair, &format!("NEW.{old}"), &format!("OLD.{old}"));
        format!(
            "        IF {kept} AND NOT ({written}) THEN\n            NEW.{new} := NEW.{old};\n        ELSE\n            NEW.{old} := NEW.{new};\n        \
             END IF;\n"
        )
    });
    format!(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger\n    LANGUAGE plpgsql SET search_path = pg_catalog\nAS $mig$\nBEGIN\n    \
         IF TG_OP = 'INSERT' THEN\n{}    ELSE\n{}    END IF;\n    RETURN NEW;\nEND\n$mig$",
        inserted.collect::<String>(),
        updated.collect::<String>()
    )
}

fn same(pair: &Twin, a: &str, b: &str) -> String {
    same_value(&pair.data_type, a, b)
}

/// The twins as the trigger finds them once the old names are served.
fn shown(change: &Serve) -> Twins {
    let mut twins = change.twins.clone();
    for pair in &mut twins.pairs {
        if let Some(old) = change.old.get(&pair.column) {
            pair.hidden.name.clone_from(old);
        }
    }
    twins
}

/// The twins as the trigger finds them before the columns are renamed.
fn concealed(change: &Serve) -> Twins {
    let mut twins = change.twins.clone();
    for pair in &mut twins.pairs {
        if let Some(old) = change.old.get(&pair.column) {
            pair.column.clone_from(old);
        }
    }
    twins
}

/// The SQL that shows the old names, or hides them. The columns themselves are renamed in the same transaction.
pub(crate) fn serve(change: &Serve) -> Rendered {
    let table = qualified(&change.twins.table);
    let renames =
        change.names().map(|(from, to)| format!("ALTER TABLE {table} RENAME COLUMN {} TO {}", quote(from), quote(to)));
    let function = if change.hides { twins::function(&concealed(change)) } else { function(&shown(change)) };
    let mut out = meta(renames.chain([function]).collect(), format!("ACCESS EXCLUSIVE on {table}, an instant"));
    locked(&mut out.action, &table);
    for pair in change.twins.pairs.iter().filter(|_| !change.hides) {
        let Some(old) = change.old.get(&pair.column) else { continue };
        let says = format!(
            "until contract both {old} and {} are there, and SELECT * and COPY without a list of columns show both; NULL that an INSERT \
             gives {old} becomes the column's default, and error messages say {}",
            pair.column, pair.column
        );
        let at = Address::column(&change.twins.table, &pair.column);
        out.hazards.push(Hazard::new(HazardCode::ExplicitNames, &at, says));
    }
    out
}
