//! Where the engine takes two names for one, the goal takes the one that the database has.

use std::collections::BTreeMap;

use mig_plan::{
    Address, Dialect, Kind, Name, ObjectKind, Qualified, Schema,
    kind::{Rename, RenameMember},
};

/// The goal with every name that the live schema has in another spelling in that spelling. Gives the renamed tables too: name in the
/// specs to name in the database.
pub(crate) fn adopt_names(
    goal: &Schema,
    live: &Schema,
    dialect: &dyn Dialect,
) -> (Schema, BTreeMap<Qualified, Qualified>) {
    let mut goal = goal.clone();
    let mut tables = BTreeMap::new();
    let new: Vec<Address> = goal.objects.keys().filter(|at| !live.objects.contains_key(*at)).cloned().collect();
    for at in new {
        let Some(twin) = live.objects.keys().find(|there| is_twin(&at, there, dialect)).filter(|t| !goal.contains(t))
        else {
            continue;
        };
        let change: Kind = if at.is_member() {
            RenameMember { from: at.clone(), to: twin.name().clone(), carries: BTreeMap::new() }.into()
        } else {
            Rename::new(at.clone(), twin.clone()).into()
        };
        if goal.apply(&change).is_ok() && at.kind() == ObjectKind::Table {
            tables.insert(at.qualified(), twin.qualified());
        }
    }
    columns(&mut goal, live, dialect);
    (goal, tables)
}

/// Columns of tables that both have.
fn columns(goal: &mut Schema, live: &Schema, dialect: &dyn Dialect) {
    let mut renames: Vec<(Address, Name)> = Vec::new();
    for (at, table) in goal.tables() {
        let Some(there) = live.table(&at) else { continue };
        for column in table.columns.iter().filter(|c| there.column(&c.name).is_none()) {
            let twin = there.columns.iter().find(|c| dialect.same_name(&c.name, &column.name));
            if let Some(twin) = twin.filter(|twin| table.column(&twin.name).is_none()) {
                renames.push((Address::column(&at, &column.name), twin.name.clone()));
            }
        }
    }
    for (from, to) in renames {
        // A column that cannot take the name keeps its own; the recipes then say what is wrong with it.
        let renamed = Kind::from(RenameMember { from, to, carries: BTreeMap::new() });
        let mut tried = goal.clone();
        if tried.apply(&renamed).is_ok() {
            *goal = tried;
        }
    }
}

fn is_twin(a: &Address, b: &Address, dialect: &dyn Dialect) -> bool {
    a != b
        && a.kind() == b.kind()
        && a.signature() == b.signature()
        && a.path().len() == b.path().len()
        && a.path().iter().zip(b.path()).all(|(x, y)| dialect.same_name(x, y))
}
