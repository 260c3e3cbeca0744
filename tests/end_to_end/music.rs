//! The edit that a product makes to a larger schema with thousands of rows, on every engine: composite keys, a table that refers to
//! itself, names that need quotes, decimals and dates.

use std::fs;

use crate::common::{Engine, TRANSACTIONAL, Workspace};

/// A music store. The rows come from numbers alone, so that every run and engine has the same.
fn store(engine: Engine) -> String {
    let numbers = |most: u32| match engine {
        Engine::Sqlite => {
            format!(
                "(with recursive s(n) as (select 1 union all select n + 1 from s where n < {most}) select n from s) s"
            )
        }
        Engine::Postgres | Engine::MariaDb => format!("generate_series(1, {most}) s(n)"),
    };
    let day = engine.pick(
        "date('2020-01-01', '+' || (n % 900) || ' days')",
        "date '2020-01-01' + n % 900",
        "date '2020-01-01' + interval (n % 900) day",
    );
    let (text, date) =
        (engine.pick("varchar(120)", "character varying(120)", "varchar(120)"), engine.pick("date", "date", "date"));
    let (artists, albums, tracks, lists) = (numbers(200), numbers(600), numbers(3000), numbers(40));
    let (entries, staff, sales, lines) = (numbers(2000), numbers(50), numbers(1500), numbers(4000));
    format!(
        r#"
create table "Artist" ("ArtistId" integer not null primary key, "Name" {text});
create table album (id integer not null primary key, title {text} not null, "ArtistId" integer not null references "Artist", out_on {date});
create index album_artist on album ("ArtistId");
create table medium (id integer not null primary key, label text not null);
create table "Track List" (
    "Album Id" integer not null references album, "No." integer not null, "Song ""Title""" {text} not null,
    medium_id integer not null, ms integer not null check (ms > 0), price numeric(10,2) not null default 0.99,
    primary key ("Album Id", "No."));
create table playlist (name text not null, owner integer not null, primary key (owner, name));
create table entry (
    owner integer not null, list text not null, album integer not null, "order" integer not null, added {date} not null,
    primary key (owner, list, album, "order"),
    foreign key (owner, list) references playlist (owner, name) on delete cascade,
    foreign key (album, "order") references "Track List" ("Album Id", "No."));
create table staff (id integer not null primary key, first text not null, last text not null, boss integer references staff, city {text});
create table sale (id integer not null primary key, seller integer not null, sold {date} not null, country {text}, total numeric(10,2) not null);
create unique index staff_name on staff (last, first);
create view pricey as select "Album Id", "No.", ms, price from "Track List" where price > 1;
insert into "Artist" select n, case when n % 9 = 0 then null else 'Artist ' || n end from {artists};
insert into album select n, 'Album ' || n, n % 200 + 1, {day} from {albums};
insert into medium values (1, 'vinyl'), (2, 'tape');
insert into "Track List" select n % 600 + 1, n / 600, 'Song "' || n || '"', n % 2 + 1, n * 100, n % 300 / 100.0 from {tracks};
insert into playlist select 'List ' || n, n % 5 from {lists};
insert into entry select (n % 40 + 1) % 5, 'List ' || (n % 40 + 1), n % 600 + 1, n / 600, {day} from {entries};
insert into staff select n, 'First ' || n, 'Last ' || n % 10, case when n > 1 then n / 2 end, 'City ' || n % 4 from {staff};
insert into sale select n, n % 50 + 1, {day}, case when n % 3 > 0 then 'Land ' || n % 3 end, 0 from {sales};
update sale set total = (select sum(n % 500) from {lines} where n % 1500 + 1 = sale.id) / 100.0;
"#
    )
}

/// Replaces the line of a column.
fn column(work: &Workspace, file: &str, key: &str, with: &str) {
    let path = format!("specs/{file}.toml");
    let text = fs::read_to_string(work.path().join(&path)).unwrap();
    let is_key = |l: &&str| l.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    let line = text.lines().find(is_key).unwrap_or_else(|| panic!("no {key} in\n{text}"));
    work.edit(&path, line, with);
}

fn append(work: &Workspace, file: &str, more: &str) {
    let path = work.path().join(format!("specs/{file}.toml"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text + more).unwrap();
}

/// Renames, types, new required columns from other columns and other tables, a foreign key, and a table that goes.
fn edit(work: &Workspace) {
    column(work, "album", "out_on", "released = { type = \"date?\", was = \"out_on\" }\nby = \"text\"");
    column(work, "album", "title", "title = \"text\"");
    append(
        work,
        "album",
        r#"
[transform.album]
set.by = """coalesce((select a."Name" from "Artist" a where a."ArtistId" = album."ArtistId"), 'unknown')"""
"#,
    );
    column(work, "track_list", "ms", "duration = { type = \"bigint\", was = \"ms\" }\ncents = \"integer\"");
    work.edit("specs/track_list.toml", "ms > 0", "duration > 0");
    let view = r#"select "Album Id", "No.", duration, price from "Track List" where price > 1"#;
    work.write("specs/views.toml", &format!("[view.pricey]\nquery = '{view}'\n"));
    column(work, "track_list", "price", "price = { type = \"numeric(12,4)\", default = \"0.99\" }");
    append(work, "track_list", "\n[transform.'\"Track List\"']\nset.cents = \"cast(round(price * 100) as integer)\"\n");
    column(work, "sale", "country", "\"Land\" = { type = \"text\", was = \"country\" }");
    column(work, "sale", "total", "total = \"numeric(14,3)\"");
    append(
        work,
        "sale",
        r#"
[[table.sale.foreign_keys]]
columns = ["seller"]
references = "staff"

[transform.sale]
set.Land = "coalesce(country, 'none')"
"#,
    );
    column(work, "staff", "first", "given = { type = \"text\", was = \"first\" }\nfull_name = \"text\"");
    work.edit("specs/staff.toml", r#""last", "first""#, r#""last", "given""#);
    append(work, "staff", "\n[transform.staff]\nset.full_name = \"first || ' ' || last\"\n");
    fs::remove_file(work.path().join("specs/medium.toml")).unwrap();
}

const BEFORE: &str = r#"select count(*), min("Name") from "Artist"; select count(*), min(title), max(out_on), sum("ArtistId") from album;
    select count(*), sum(ms), round(sum(price), 2), max("Song ""Title""") from "Track List"; select count(*), max(label) from medium;
    select count(*), sum(album), max(list), max(added) from entry; select count(*), sum(boss), max(first), min(last) from staff;
    select count(*), round(sum(total), 2), count(country), max(sold) from sale; select count(*), round(sum(price), 2), max(ms) from pricey;"#;

const AFTER: &str = r#"select count(*), min(title), max(released), sum("ArtistId"), count(by) from album;
    select count(*), sum(duration), sum(cents), max("Song ""Title""") from "Track List";
    select count(*), sum(album), max(list), max(added) from entry; select count(*), sum(boss), max(given), min(last) from staff;
    select count(*), round(sum(total), 2), max(sold) from sale;
    select count(*), round(sum(price), 2), max(duration) from pricey;"#;

/// What must hold of the new columns; each counts the rows that break it.
const BROKEN: &str = r#"
    select count(*) from album join "Artist" a on a."ArtistId" = album."ArtistId" where by <> coalesce(a."Name", 'unknown');
    select count(*) from "Track List" where cents <> round(price * 100);
    select count(*) from staff where full_name <> given || ' ' || last;
    select count(*) from sale where "Land" <> case when id % 3 > 0 then 'Land ' || id % 3 else 'none' end;"#;

#[test]
fn a_music_store_goes_there_and_back() {
    for engine in TRANSACTIONAL {
        let database = engine.database(&store(*engine));
        let work = Workspace::new();
        work.import(&database);
        work.nothing_to_do(&database);
        let rows = database.query(BEFORE);
        edit(&work);
        work.plan(&database);
        work.sign();
        work.apply(&database);
        work.nothing_to_do(&database);
        let (after, broken) = (database.query(AFTER), database.query(BROKEN));
        assert_eq!(broken.split_whitespace().collect::<Vec<_>>(), ["0"; 4], "{engine:?}");
        work.rollback(&database);
        assert_eq!(database.query(BEFORE), rows, "{engine:?}");
        let mut again = work.apply_args(&database);
        again.push("--again".to_owned());
        work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
        work.nothing_to_do(&database);
        assert_eq!(database.query(AFTER), after, "{engine:?}");
        assert_eq!(database.query(BROKEN), broken, "{engine:?}");
    }
}
