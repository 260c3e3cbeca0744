//! Tables of MariaDB that get their form by another beside them although the plan gives them other names or
//! types that lose values.

use crate::{
    common::Engine,
    online::{Case, clients_write_meanwhile, killed, there_and_back},
};

/// A wider type of a column that gets another name, in a table that gets one too, with an index.
const RENAMED: Case = Case {
    engine: Engine::MariaDb,
    base: "create table item (id int not null auto_increment, n int not null, name varchar(20) not null, primary key (id), key by_n (n));
        insert into item (n, name) select seq, concat('item ', seq) from seq_1_to_2000;",
    edits: &[
        ("n    = \"int(11)\"\n", "count = { type = \"bigint\", was = \"n\" }\n"),
        ("columns = [\"n\"]", "columns = [\"count\"]"),
        ("[table.item]\n", "[table.thing]\nwas = \"item\"\n"),
        ("[table.item.columns]", "[table.thing.columns]"),
        ("[[table.item.indexes]]", "[[table.thing.indexes]]"),
    ],
    old: &[],
    new: &[
        "insert into thing (count, name) values (1, 'new')",
        "update thing set count = count + 1 where id = 7",
        "delete from thing where id in (select min from (select min(id) as min from thing where id > 10) x)",
    ],
    holds: &[
        ("select count(*) from information_schema.triggers where trigger_schema = database() and event_object_table = 'thing'", "0"),
        ("select data_type from information_schema.columns where table_schema = database() and table_name = 'thing' and column_name = 'count'", "bigint"),
    ],
    rows: "select count(*), sum(id), sum(n), min(name) from item",
};

/// Types from which the old values do not come back; the time of the last write stays through it all.
const LOST: Case = Case {
    engine: Engine::MariaDb,
    base: "create table item (id int not null auto_increment primary key, at datetime(6) not null, price decimal(12,4), n int,
            written timestamp not null default '2001-01-01 00:00:00' on update current_timestamp, key by_at (at, n));
        insert into item (at, price, n) select '2020-01-02 03:04:05.678901' + interval seq second, seq / 7, seq from seq_1_to_300;",
    edits: &[("\"datetime(6)\"", "\"date\""), ("\"decimal(12,4)?\"", "\"int?\"")],
    old: &["insert into item (at, price) values ('2022-01-01 00:00:00.5', 1.25)", "update item set price = price + 1.25 where id = 7"],
    new: &["insert into item (at, price) values ('2022-01-01', 1)"],
    holds: &[
        (
            "select group_concat(column_type order by column_name) from information_schema.columns where table_schema = database() \
             and table_name = 'item' and column_name in ('at', 'price')",
            "date,int(11)",
        ),
        ("select count(*) from item where id between 100 and 300 and written <> '2001-01-01 00:00:00'", "0"),
    ],
    rows: "select count(*), sum(price), max(at), sum(microsecond(at)), max(written) from item where id <> 7",
};

#[test]
fn values_that_a_type_loses_come_back() {
    there_and_back(&LOST);
    clients_write_meanwhile(&LOST);
    killed(&LOST, 3);
}

#[test]
fn a_table_that_gets_other_names_goes_beside() {
    there_and_back(&RENAMED);
    killed(&RENAMED, 31);
}
