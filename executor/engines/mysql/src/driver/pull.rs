//! Reading the catalog: all of it, or some objects.

use std::collections::{BTreeMap, BTreeSet};

use mig_executor::Failure;
use mig_plan::{Address, Object, ObjectKind, Schema};

use super::{
    assemble::{assemble, partitions},
    link::Link,
    queries::{self, Scope},
    rows::{Row, Rows, text},
};
use crate::flavor::Flavor;

/// How often a pull is tried while the schema changes under it.
const ATTEMPTS: usize = 5;
const ASKED: &str = "reading the schema";

/// A pulled schema with what each object needs.
pub(super) type Pulled = (Schema, BTreeMap<Address, BTreeSet<Address>>);

/// Reads everything. The catalog follows no snapshot, so a pull counts only if a second reading says the same.
pub(super) async fn pull(link: &mut Link, flavor: &Flavor, database: &str) -> Result<Pulled, Failure> {
    let mut before = read(link, flavor, &Scope::All, |_| true).await?;
    for _ in 0..ATTEMPTS {
        let again = read(link, flavor, &Scope::All, |_| true).await?;
        if before == again {
            return assemble(&again, flavor, database)
                .map_err(|e| Failure::broken(format!("the catalog holds a name that cannot be: {e}")));
        }
        before = again;
    }
    Err(Failure::Transient { says: "the schema keeps changing while it is read".to_owned() })
}

/// Reads some objects as they are now.
pub(super) async fn observe(
    link: &mut Link,
    flavor: &Flavor,
    database: &str,
    of: &BTreeSet<Address>,
) -> Result<BTreeMap<Address, Object>, Failure> {
    if of.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names = of.iter().flat_map(Address::path).map(|name| name.as_str().to_owned()).collect();
    let kinds: BTreeSet<ObjectKind> = of.iter().map(Address::kind).collect();
    let rows = read(link, flavor, &Scope::Named(names), |kind| kinds.contains(&kind)).await?;
    let (schema, _) = assemble(&rows, flavor, database)
        .map_err(|e| Failure::broken(format!("the catalog holds a name that cannot be: {e}")))?;
    Ok(schema.only(of))
}

async fn read(
    link: &mut Link,
    flavor: &Flavor,
    scope: &Scope,
    wanted: impl Fn(ObjectKind) -> bool,
) -> Result<Rows, Failure> {
    use ObjectKind as K;
    let mut rows = Rows { user: link.value("SELECT CURRENT_USER()", ASKED).await?, ..Rows::default() };
    let relations = [K::Table, K::Index, K::Sequence, K::View, K::Opaque].into_iter().any(&wanted);
    if relations {
        rows.tables = seen(link, scope, &queries::tables(scope)).await?;
        rows.columns = seen(link, scope, &queries::columns(scope)).await?;
        rows.indexes = seen(link, scope, &queries::indexes(flavor, scope)).await?;
        rows.foreign_keys = seen(link, scope, &queries::foreign_keys(scope)).await?;
        rows.checks = seen(link, scope, &queries::checks(flavor, scope)).await?;
        definitions(link, &mut rows).await?;
        if flavor.is_maria() {
            periods(link, &mut rows).await?;
        }
    }
    if wanted(K::View) {
        rows.views = seen(link, scope, &queries::views(flavor, scope)).await?;
        if !flavor.is_maria() {
            algorithms(link, &mut rows.views).await?;
        }
    }
    if wanted(K::Trigger) {
        let all = seen(link, scope, &queries::triggers(scope)).await?;
        rows.triggers = all.into_iter().filter(|row| scope.shows(text(row, 1))).collect();
    }
    if wanted(K::Function) || wanted(K::Procedure) || wanted(K::Opaque) {
        for row in seen(link, scope, &queries::routines(scope)).await? {
            code(link, &mut rows, text(&row, 1), text(&row, 0)).await?;
        }
    }
    if wanted(K::Event) {
        for row in seen(link, scope, &queries::events(scope)).await? {
            code(link, &mut rows, "EVENT", text(&row, 0)).await?;
        }
    }
    Ok(rows)
}

/// The rows of a query, without those about what is mig's own unless that is what is asked for. The first value is the name.
async fn seen(link: &mut Link, scope: &Scope, query: &str) -> Result<Vec<Row>, Failure> {
    let rows = link.texts(query, usize::MAX, ASKED).await?;
    Ok(rows.into_iter().filter(|row| scope.shows(text(row, 0))).collect())
}

/// What only the statement that makes a table says, and the numbers of sequences.
async fn definitions(link: &mut Link, rows: &mut Rows) -> Result<(), Failure> {
    for row in rows.tables.clone() {
        let name = text(&row, 0).to_owned();
        match text(&row, 1) {
            "SEQUENCE" => {
                let numbers = link.texts(&queries::sequence(&name), 1, ASKED).await?;
                rows.sequences.insert(name, numbers.into_iter().next().unwrap_or_default());
            }
            "BASE TABLE" | "SYSTEM VERSIONED" if text(&row, 4).contains("partitioned") => {
                let shown = link.texts(&queries::show("TABLE", &name), 1, ASKED).await?;
                let definition = shown.into_iter().next().and_then(|r| r.into_iter().nth(1).flatten());
                // The rest of it changes with every number that the table gives out.
                if let Some(clause) = definition.as_deref().and_then(partitions) {
                    rows.partitions.insert(name, clause);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Tables whose rows are true for a time that their own columns give. Only the statement that makes one says so; but each has a check that
/// one column is before another.
async fn periods(link: &mut Link, rows: &mut Rows) -> Result<(), Failure> {
    let compares = |clause: &str| {
        let (start, end) = clause.split_once(" < ").unwrap_or_default();
        [start, end].iter().all(|name| name.len() > 2 && name.starts_with('`') && name.ends_with('`'))
    };
    let likely: BTreeSet<String> =
        rows.checks.iter().filter(|row| compares(text(row, 2))).map(|row| text(row, 0).to_owned()).collect();
    for name in likely {
        let shown = link.texts(&queries::show("TABLE", &name), 1, ASKED).await?;
        let definition = shown.into_iter().next().and_then(|r| r.into_iter().nth(1).flatten()).unwrap_or_default();
        // What stands behind the parts changes with every number that the table gives out.
        let parts: Vec<&str> = definition.lines().take_while(|line| !line.starts_with(')')).collect();
        if parts.iter().any(|line| line.trim_start().starts_with("PERIOD FOR `")) {
            rows.periods.insert(name, parts.join("\n"));
        }
    }
    Ok(())
}

/// How views are carried out, which MySQL only says in the statement that makes them.
async fn algorithms(link: &mut Link, views: &mut [Row]) -> Result<(), Failure> {
    for row in views {
        let shown = link.texts(&queries::show("VIEW", text(row, 0)), 1, ASKED).await?;
        let made = shown.into_iter().next().and_then(|r| r.into_iter().nth(1).flatten()).unwrap_or_default();
        let said = made.split_whitespace().find_map(|word| word.strip_prefix("ALGORITHM="));
        if let (Some(said), Some(place)) = (said, row.get_mut(5)) {
            *place = Some(said.to_owned());
        }
    }
    Ok(())
}

/// The statement that makes a routine or an event.
async fn code(link: &mut Link, rows: &mut Rows, kind: &str, name: &str) -> Result<(), Failure> {
    if !matches!(kind, "PROCEDURE" | "FUNCTION" | "EVENT") {
        rows.code.push((kind.to_owned(), name.to_owned(), String::new()));
        return Ok(());
    }
    let shown = link.texts(&queries::show(kind, name), 1, ASKED).await?;
    let place = if kind == "EVENT" { 3 } else { 2 };
    let text = shown.into_iter().next().and_then(|row| row.into_iter().nth(place).flatten());
    let Some(text) = text else {
        return Err(Failure::refused(format!("this user may not see the definition of {kind} `{name}`")));
    };
    rows.code.push((kind.to_owned(), name.to_owned(), text));
    Ok(())
}
