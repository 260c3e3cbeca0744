== first
-- rows: select "group", "select", "it's" from "order" order by 1
create table "order" ("group" integer primary key, "select" text, "it's" text, "a ""q""" int, [br ack] int default 3);
create index "in dex" on "order" ("a ""q""", [br ack]);
create view "vi ew" AS select "group" as "from", "it's" from "order";
create trigger "tr ig" after insert on "order" begin update "order" set "it's" = 'z' where "group" = new."group"; end;
insert into "order" ("group","select","a ""q""") values (1,'x',5);
== second
-- was: table.order.columns.where select
-- rows: select "group", "where", "it's" from "order" order by 1
-- arrives: select "group", "where" from "order"
create table "order" ("group" integer primary key, "where" text not null default '', "it's" text, "a ""q""" integer, [br ack] int default 4, "ключ" text);
create index "in dex" on "order" ("a ""q""", "ключ");
create view "vi ew" AS select "group" as "from", "it's", "where" from "order";
create trigger "tr ig" after insert on "order" begin update "order" set "it's" = 'zz' where "group" = new."group"; end;
insert into "order" ("group","where","a ""q""") values (1,'x',5);
== first again
-- was: table.order.columns.select where
create table "order" ("group" integer primary key, "select" text, "it's" text, "a ""q""" int, [br ack] int default 3);
create index "in dex" on "order" ("a ""q""", [br ack]);
create view "vi ew" AS select "group" as "from", "it's" from "order";
create trigger "tr ig" after insert on "order" begin update "order" set "it's" = 'z' where "group" = new."group"; end;
insert into "order" ("group","select","a ""q""") values (1,'x',5);
