//! A conversion of a key carried to the columns that refer to it: their values follow those of the rows that they lead to.

use std::collections::BTreeMap;

use mig_plan::{Address, Dialect, Fill, Group, Kind, Name, Qualified, Schema, Sql, kind::Selection};

/// The columns that change their type, and how their new values are made, where that is declared or follows.
type Made = BTreeMap<Address, Option<Sql>>;

/// Gives each column that changes its type together with the column that its foreign key leads to, and has no transform of its own, the
/// new value of the row that it leads to. Chains of foreign keys are followed to their end.
pub(crate) fn referrers(groups: &mut [Group], live: &Schema, goal: &Schema, dialect: &dyn Dialect) {
    let mut made = retyped(groups);
    let mut found = made.values().any(Option::is_some);
    while found {
        found = false;
        for link in links(live, goal) {
            let (Some(None), Some(Some(by))) = (made.get(&link.own), made.get(&link.theirs)) else { continue };
            let by = link.followed(by, dialect);
            found = true;
            // All rows follow, also those that another transform of their table leaves out.
            let whole = |fill: &Option<Fill>| fill.as_ref().is_none_or(|f| f.rows == Selection::default());
            let own = groups.iter_mut().filter(|g| g.at == Address::table(&link.table) && whole(&g.fill));
            for group in own {
                let rows = Selection::default();
                let fill = group.fill.get_or_insert_with(|| Fill {
                    set: BTreeMap::new(),
                    back: BTreeMap::new(),
                    rows,
                    batch_rows: None,
                });
                fill.set.insert(link.own.name().clone(), by.clone());
            }
            made.insert(link.own, Some(by));
        }
    }
}

fn retyped(groups: &[Group]) -> Made {
    let of_group = |group: &Group, change: &Kind| match change {
        Kind::AlterColumn(k) if k.from.data_type != k.to.data_type => {
            let set = group.fill.as_ref().and_then(|f| f.set.get(&k.from.name));
            Some((Address::column(&k.table, &k.from.name), k.using.clone().or_else(|| set.cloned())))
        }
        _ => None,
    };
    groups.iter().flat_map(|group| group.changes.iter().filter_map(move |change| of_group(group, change))).collect()
}

/// A column of a foreign key that stands before and after, and the one that it leads to.
struct Link {
    table: Qualified,
    own: Address,
    theirs: Address,
    referenced: Qualified,
    /// The columns of the whole key, with those that they lead to.
    on: Vec<(Name, Name)>,
}

fn links(live: &Schema, goal: &Schema) -> Vec<Link> {
    let mut found = Vec::new();
    for (table, content) in live.tables() {
        let Some(wanted) = goal.table(&table) else { continue };
        for fk in content.constraints.values().filter_map(|c| c.foreign_key()) {
            let on: Vec<(Name, Name)> = fk.columns.iter().cloned().zip(fk.referenced.iter().cloned()).collect();
            let stays = wanted.constraints.values().filter_map(|c| c.foreign_key()).any(|other| {
                other.references == fk.references && other.columns == fk.columns && other.referenced == fk.referenced
            });
            found.extend(on.iter().filter(|_| stays).map(|(own, their)| Link {
                table: table.clone(),
                own: Address::column(&table, own),
                theirs: Address::column(&fk.references, their),
                referenced: fk.references.clone(),
                on: on.clone(),
            }));
        }
    }
    found
}

impl Link {
    /// The value that an expression over the rows of the other table gives for the row that this one leads to.
    fn followed(&self, by: &Sql, dialect: &dyn Dialect) -> Sql {
        let quoted = |name: &Name| dialect.quote(name);
        let path = self.referenced.path().iter().map(quoted).collect::<Vec<_>>().join(".");
        let (alias, own) = (quoted(&self.referenced.name), quoted(&self.table.name));
        let keys = self.on.iter().enumerate().map(|(i, (_, their))| format!("{alias}.{} AS _mig_k{i}", quoted(their)));
        let keys = keys.collect::<Vec<_>>().join(", ");
        let same =
            self.on.iter().enumerate().map(|(i, (name, _))| format!("_mig_p._mig_k{i} = {own}.{}", quoted(name)));
        let same = same.collect::<Vec<_>>().join(" AND ");
        Sql::new(format!(
            "(SELECT _mig_p._mig_v FROM (SELECT {keys}, ({by}) AS _mig_v FROM {path} AS {alias}) AS _mig_p WHERE {same})"
        ))
    }
}
