//! From each of several forms of a small schema to each other, and back: what an engine's own tables can be, with rows in them.
//!
//! A file holds the forms, each under a line `== name`; a line `-- rows:` holds the query that must give the same after the rollback. What
//! an older server does not have stands below a line `-- version: 18`, before the first form or in one: such a server goes without it. The
//! oracle is the engine: its dump of a database that was made from the other form, and its dump of the first one.
//!
//! Of a file of releases, each form leads to the next only. A line `-- was: table.now then`, or one of `table.of.columns.now` or
//! `table.of.indexes.now`, says what a name of it was in the form before (a name with blanks stands in quotes); a line `-- arrives:` holds the query that must give there what it gives after the plan.

use std::io::Write as _;

use crate::common::{Database, Engine, Workspace};

/// A form of a schema.
struct Form<'a> {
    name: &'a str,
    sql: &'a str,
    rows: Option<&'a str>,
    arrives: Option<&'a str>,
    /// Names with what they were in the form before.
    was: Vec<(&'a str, &'a str)>,
    /// The oldest version of the server that has it.
    version: u32,
}

/// The forms of a file.
fn forms(text: &str) -> Vec<Form<'_>> {
    let mut parts = text.split("== ");
    let all = version(parts.next().unwrap_or_default());
    let forms = parts.map(|part| {
        let (name, sql) = part.split_once('\n').unwrap();
        let said = |mark| sql.lines().filter_map(move |line| line.strip_prefix(mark));
        let was = said("-- was: ").map(now_and_then).collect();
        let (rows, arrives) = (said("-- rows: ").next(), said("-- arrives: ").next());
        Form { name, sql, rows, arrives, was, version: version(sql).max(all) }
    });
    forms.collect()
}

/// Two names with a blank between them; what stands in quotes is one.
fn now_and_then(line: &str) -> (&str, &str) {
    let mut quoted = false;
    let blank = line.find(|sign| {
        quoted ^= sign == '"';
        sign == ' ' && !quoted
    });
    let (now, then) = line.split_at(blank.unwrap());
    (now, then.trim().trim_matches('"'))
}

/// The oldest version that a text asks for.
fn version(text: &str) -> u32 {
    text.lines().find_map(|line| line.strip_prefix("-- version: ")).map_or(0, |number| number.parse().unwrap())
}

/// The schema as its engine tells it, whatever the order in which columns and keys came, and the name of the database.
fn shape(database: &Database) -> Vec<String> {
    let url = database.url();
    let name = url.rsplit('/').next().unwrap_or_default();
    sorted(&database.schema().replace(&format!("`{name}`."), ""))
}

fn sorted(schema: &str) -> Vec<String> {
    // A table of its own that SQLite never takes away again is no form of ours, nor is where a sequence stands.
    let ours = |line: &&str| !line.contains("|sqlite_sequence|") && !line.starts_with("DO SETVAL");
    let mut lines: Vec<_> =
        schema.lines().filter(ours).map(|line| line.trim().trim_end_matches(',').to_owned()).collect();
    lines.sort();
    lines
}

fn each_to_each(engine: Engine, text: &str) {
    let all = forms(text);
    assert!(all.len() > 1, "there is nothing to go between");
    let (forms, newer): (Vec<_>, Vec<_>) = all.into_iter().partition(|form| form.version <= engine.version());
    // Past the test harness, which shows nothing of what a test prints that passes.
    let mut aloud = std::io::stderr().lock();
    for form in newer {
        let (has, name, needs) = (engine.version(), form.name, form.version);
        writeln!(aloud, "skipped: {engine:?} {has} has not `{name}`, which needs {needs}").unwrap();
    }
    drop(aloud);
    for from in &forms {
        for to in forms.iter().filter(|to| to.name != from.name) {
            go(engine, from, to);
        }
    }
}

fn go(engine: Engine, from: &Form<'_>, to: &Form<'_>) {
    let way = format!("{engine:?}: {} -> {}", from.name, to.name);
    let (live, wanted) = (engine.database(from.sql), engine.database(to.sql));
    let first = shape(&live);
    let rows = |database: &Database| from.rows.map(|query| database.query(query));
    let held = rows(&live);
    let at = Workspace::new();
    at.import(&wanted);
    at.nothing_to_do(&wanted);
    for (name, was) in &to.was {
        renamed(&at, name, was);
    }
    at.plan(&live);
    at.sign();
    at.apply(&live);
    assert_eq!(shape(&live), shape(&wanted), "{way}: not what was wanted");
    if let Some(query) = to.arrives {
        assert_eq!(live.query(query), wanted.query(query), "{way}: not the rows that were wanted");
    }
    at.nothing_to_do(&live);
    at.rollback(&live);
    assert_eq!(shape(&live), first, "{way}: the rollback did not bring the first form back");
    assert_eq!(rows(&live), held, "{way}: the rollback did not bring the rows back");
}

/// Says in the specs what a name was.
fn renamed(at: &Workspace, name: &str, was: &str) {
    if let Some((_, index)) = name.split_once(".indexes.") {
        return said(at, &format!("name = \"{index}\"\n"), |line| format!("{line}was = \"{was}\"\n"));
    }
    let Some((table, column)) = name.split_once(".columns.") else {
        return said(at, &format!("[{name}]\n"), |line| format!("{line}was = \"{was}\"\n"));
    };
    let is_its = |line: &&str| line.split_once('=').is_some_and(|(key, _)| key.trim() == column);
    let head = format!("[{table}.columns]\n");
    let text = holding(at, &head).1;
    let columns = &text[text.find(&head).unwrap() + head.len()..];
    let line = columns.lines().find(is_its).unwrap();
    let (key, value) = line.split_once('=').unwrap();
    let told = match value.trim().strip_suffix('}') {
        Some(more) => format!("{}, was = \"{was}\" }}", more.trim_end()),
        None => format!("{{ type = {}, was = \"{was}\" }}", value.trim()),
    };
    let before = &columns[..columns.find(line).unwrap()];
    said(at, &format!("{head}{before}{line}"), |_| format!("{head}{before}{key}= {told}"));
}

/// Changes one place of the specs, in whichever file it is.
fn said(at: &Workspace, from: &str, to: impl Fn(&str) -> String) {
    at.edit(&holding(at, from).0, from, &to(from));
}

/// The spec file that holds a text, and all of it.
fn holding(at: &Workspace, text: &str) -> (String, String) {
    let mut folders = vec![at.path().join("specs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let whole = std::fs::read_to_string(&path).unwrap();
            if whole.contains(text) {
                return (path.strip_prefix(at.path()).unwrap().display().to_string(), whole);
            }
        }
    }
    panic!("no spec says `{text}`");
}

fn each_to_next(engine: Engine, text: &str) {
    let forms = forms(text);
    assert!(forms.len() > 1, "there is nothing to go between");
    for step in forms.windows(2) {
        go(engine, &step[0], &step[1]);
    }
}

macro_rules! releases {
    ($($test:ident: $engine:ident $file:literal;)*) => {
        $(#[test]
        fn $test() {
            each_to_next(Engine::$engine, include_str!(concat!("pairs/", $file)));
        })*
    };
}

releases! {
    postgres_names_with_what_stands_on_them: Postgres "postgres_renamed.sql";
    postgres_operators_that_name_each_other: Postgres "postgres_operators.sql";
    postgres_order_of_what_names_each_other: Postgres "postgres_order.sql";
    mariadb_releases_of_a_blog: MariaDb "mariadb_blog.sql";
    mariadb_releases_of_a_shop: MariaDb "mariadb_catalog.sql";
    mariadb_releases_of_a_league: MariaDb "mariadb_league.sql";
    mariadb_releases_of_a_meter: MariaDb "mariadb_meter.sql";
    mariadb_releases_of_a_staff_list: MariaDb "mariadb_staff.sql";
    mariadb_releases_of_orders: MariaDb "mariadb_orders.sql";
    mariadb_releases_of_documents: MariaDb "mariadb_documents.sql";
    mariadb_releases_of_numbered_rows: MariaDb "mariadb_numbered.sql";
    sqlite_releases_of_a_library: Sqlite "sqlite_library.sql";
    sqlite_releases_of_sales: Sqlite "sqlite_sales.sql";
    sqlite_views_over_renamed_columns: Sqlite "sqlite_readers.sql";
    sqlite_reserved_words_as_names: Sqlite "sqlite_reserved.sql";
}

macro_rules! pairs {
    ($($test:ident: $engine:ident $file:literal;)*) => {
        $(#[test]
        fn $test() {
            each_to_each(Engine::$engine, include_str!(concat!("pairs/", $file)));
        })*
    };
}

pairs! {
    mariadb_computed_columns: MariaDb "mariadb_computed.sql";
    mariadb_beside: MariaDb "mariadb_beside.sql";
    mariadb_tied: MariaDb "mariadb_tied.sql";
    mariadb_numbers: MariaDb "mariadb_numbers.sql";
    mariadb_engines: MariaDb "mariadb_engines.sql";
    mariadb_history: MariaDb "mariadb_history.sql";
    mariadb_long: MariaDb "mariadb_long.sql";
    mariadb_keyless: MariaDb "mariadb_keyless.sql";
    mariadb_keys: MariaDb "mariadb_keys.sql";
    mariadb_names: MariaDb "mariadb_names.sql";
    mariadb_foreign_keys: MariaDb "mariadb_foreign_keys.sql";
    mariadb_partitions: MariaDb "mariadb_partitions.sql";
    mariadb_divided_tables: MariaDb "mariadb_divided.sql";
    mariadb_respelt_columns: MariaDb "mariadb_respelt.sql";
    mariadb_retyped_columns: MariaDb "mariadb_retyped.sql";
    mariadb_many_things_at_once: MariaDb "mariadb_many.sql";
    mariadb_sequences_and_code: MariaDb "mariadb_code.sql";
    postgres_tables: Postgres "postgres_tables.sql";
    postgres_computed_columns: Postgres "postgres_computed.sql";
    postgres_keys: Postgres "postgres_keys.sql";
    postgres_sources_of_computed_columns: Postgres "postgres_sources.sql";
    postgres_views: Postgres "postgres_views.sql";
    postgres_shares_in_indexes: Postgres "postgres_shares.sql";
    postgres_rows_grouped_by_keys: Postgres "postgres_grouped.sql";
    postgres_types_in_types: Postgres "postgres_nested.sql";
    postgres_typed_tables: Postgres "postgres_typed.sql";
    postgres_identities: Postgres "postgres_identity.sql";
    postgres_kept_values: Postgres "postgres_kept.sql";
    postgres_published_tables: Postgres "postgres_published.sql";
    postgres_columns_that_are_read: Postgres "postgres_read.sql";
    postgres_enums: Postgres "postgres_enums.sql";
    postgres_foreign_servers: Postgres "postgres_foreign.sql";
    postgres_routines: Postgres "postgres_routines.sql";
    postgres_partitions: Postgres "postgres_partitions.sql";
    postgres_bounds_of_partitions: Postgres "postgres_bounds.sql";
    postgres_routines_that_are_called: Postgres "postgres_called.sql";
    postgres_proofs_and_aggregates: Postgres "postgres_proofs.sql";
    postgres_standing_schema: Postgres "postgres_standing.sql";
    postgres_types_made_anew: Postgres "postgres_anew.sql";
    postgres_other_parents: Postgres "postgres_parents.sql";
    postgres_named_shares: Postgres "postgres_named_shares.sql";
    postgres_indexes_beside_shares: Postgres "postgres_beside_shares.sql";
    postgres_foreign_keys_on_the_spot: Postgres "postgres_own_foreign_keys.sql";
    postgres_types_over_types: Postgres "postgres_types_over.sql";
    postgres_what_holds_together: Postgres "postgres_together.sql";
    postgres_values_inside_others: Postgres "postgres_inside.sql";
    postgres_of_newer_servers: Postgres "postgres_newer.sql";
    sqlite_tables: Sqlite "sqlite_tables.sql";
    sqlite_foreign_keys: Sqlite "sqlite_foreign_keys.sql";
    sqlite_names: Sqlite "sqlite_names.sql";
    sqlite_many_things_at_once: Sqlite "sqlite_many.sql";
    sqlite_stored_values: Sqlite "sqlite_stored.sql";
}
