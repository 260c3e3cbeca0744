//! Tables that foreign keys tie together get their form beside running clients on MariaDB: out of the table, into it, to itself, to
//! another that is exchanged too, with and without actions.

use crate::{
    common::Engine,
    online::{Case, clients_write_meanwhile, killed, there_and_back},
};

/// A key becomes wider, with two tables that refer to it: `part` goes beside as well, `line` cannot, as its foreign key deletes rows of
/// it. The table that `item` refers to is exchanged for a reason of its own, and `clerk`, which the plan leaves alone, refers to that.
const TIED: Case = Case {
    engine: Engine::MariaDb,
    base: "create table shop (id int primary key, name varchar(20));
        create table clerk (id int auto_increment primary key, shop_id int, foreign key (shop_id) references shop (id) on delete set null);
        create table item (id int not null auto_increment, shop_id int not null, up int, n int not null default 0, primary key (id),
            constraint of_shop foreign key (shop_id) references shop (id), foreign key (up) references item (id));
        create table part (id int auto_increment primary key, item_id int not null, constraint of_item foreign key (item_id) references item (id));
        create table line (id int auto_increment primary key, item_id int, foreign key (item_id) references item (id) on delete cascade);
        create table told (id bigint primary key);
        insert into shop values (1, 'a'), (2, 'b'), (3, 'c');
        insert into clerk (shop_id) select 1 + seq % 3 from seq_1_to_20;
        insert into item (id, shop_id, up) select seq, 1 + seq % 3, if(seq = 1, null, 1) from seq_1_to_2000;
        insert into part (item_id) select seq from seq_100_to_1500;
        insert into line (item_id) select seq from seq_1_to_900;",
    edits: &[
        ("name = \"varchar(20)?\"", "name = \"varchar(300)?\""),
        (
            "{ type = \"int(11)\", identity = \"by default\" }\nshop_id = \"int(11)\"\nup      = \"int(11)?\"",
            "{ type = \"bigint\", identity = \"by default\" }\nshop_id = \"int(11)\"\nup      = \"bigint?\"",
        ),
        ("item_id = \"int(11)?\"", "item_id = \"bigint?\""),
        ("item_id = \"int(11)\"\n", "item_id = \"bigint\"\n"),
    ],
    old: &[
        "insert into item (shop_id, up) values (2, 1)",
        "insert into part (item_id) values (100 + floor(rand() * 900))",
        "begin; insert into item (shop_id) values (1); insert into told values (last_insert_id()); commit",
        "update item set n = n + 1 where id = 7",
        "update shop set name = concat('again ', name is null) where id = 3",
        "update clerk set shop_id = 1 + floor(rand() * 3) where id = 2",
    ],
    new: &[
        "begin; insert into item (shop_id) values (1); insert into told values (last_insert_id()); commit",
        "update item set n = n + 1 where id = 7",
        "insert into clerk (shop_id) values (2)",
    ],
    holds: &[
        ("select count(*) from information_schema.triggers where trigger_schema = database() and event_object_table not like '\\_mig%'", "0"),
        ("select count(*) from information_schema.tables where table_schema = database() and (table_name like '\\_mig\\_new%' or table_name like '\\_mig\\_old%')", "0"),
        (
            "select group_concat(table_name, ' ', constraint_name, ' ', referenced_table_name, ' ', delete_rule order by table_name, constraint_name)
             from information_schema.referential_constraints where constraint_schema = database()",
            "clerk clerk_ibfk_1 shop SET NULL,item item_ibfk_1 item RESTRICT,item of_shop shop RESTRICT,line line_ibfk_1 item CASCADE,part of_item item RESTRICT",
        ),
        (
            "select group_concat(distinct data_type) from information_schema.columns where table_schema = database()
             and (table_name, column_name) in (('item', 'id'), ('item', 'up'), ('part', 'item_id'), ('line', 'item_id'))",
            "bigint",
        ),
        ("select count(*) from told left join item using (id) where item.id is null", "0"),
        ("select count(*) from part left join item on item.id = item_id where item.id is null", "0"),
        ("select count(*) from line join item on item.id = item_id", "900"),
        ("select count(*) from item left join shop on shop.id = shop_id where shop.id is null", "0"),
        ("select count(*) from item where id <= 2000", "2000"),
        ("insert ignore into part (item_id) values (-5)", ""),
        ("insert ignore into item (shop_id) values (-5)", ""),
        ("delete ignore from shop where id = 1", ""),
        ("select (select count(*) from part where item_id = -5) + (select count(*) from item where shop_id = -5), (select count(*) from shop)", "0|3"),
    ],
    rows: "select (select concat(count(*), sum(n)) from item), (select count(*) from part), (select sum(item_id) from line), (select group_concat(name) from shop)",
};

#[test]
fn tables_that_foreign_keys_tie_go_beside_there_and_back() {
    there_and_back(&TIED);
}

#[test]
fn tables_that_foreign_keys_tie_go_beside_running_clients() {
    clients_write_meanwhile(&TIED);
}

#[test]
fn tables_that_foreign_keys_tie_go_beside_killed_anywhere() {
    killed(&TIED, 41);
}
