-- Names that change together with what stands on them: tables with their columns, views, sequences and keys, beside other changes.
== first
create table plain (id serial primary key, c integer unique, e integer references plain, check (c > 0));
create index on plain (c);
create table viewed (id integer primary key, c integer, d integer);
create view through as select id, c from viewed;
create table grown (id integer primary key, c integer, d integer, x integer);
create view growing as select id, c, d from grown;
create table wide (id serial primary key, c integer, d integer, e varchar(10), f varchar(10));
create table own (id serial primary key, c integer, d integer, x integer);
create table told (id uuid primary key, "R 23" uuid, c integer);
alter table told add constraint up foreign key ("R 23") references told on delete restrict;
create function twice(x integer) returns integer language sql immutable return x * 2;
create view doubled as select twice(id) as two, id from viewed;
create table ranked (id integer primary key, c integer, s integer);
create index by_c on ranked (c);
create index by_both on ranked (s, c);
create type mood as enum ('ok', 'sad', 'gone');
create table felt (id integer primary key, m mood, note text);
create table strict (id bigint primary key, a timestamptz, b integer not null, constraint once unique (a), check (a is not null or a is null));
create materialized view summed as select id, c from viewed where id is not null;
create index summed_id on summed (id);
create materialized view over_summed as select c from summed;
insert into plain (c, e) values (1, 1), (2, 1);
insert into viewed values (1, 2, 3);
insert into grown values (1, 2, 3, 4);
insert into wide (c, d) values (1, 2);
insert into own (c, d) values (1, 2), (3, 4);
insert into told values ('00000000-0000-0000-0000-000000000001', null, 1);
insert into ranked values (1, 2, 3);
insert into felt values (1, 'ok', 'n');
insert into strict values (1, now(), 2);
-- rows: select (select sum(c + e) from plain), (select sum(c) from through), (select sum(d) from growing), (select sum(d) from wide), (select sum(d + id) from own), (select sum(c) from told), (select sum(s) from ranked), (select string_agg(m::text, ',') from felt), (select sum(b) from strict)
== second
-- was: table.plain_now plain
-- was: table.viewed_now viewed
-- was: table.viewed_now.columns.c_now c
-- was: view.through_now through
-- was: table.grown_now grown
-- was: table.grown_now.columns.c_now c
-- was: view.growing_now growing
-- was: table.wide_now wide
-- was: table.own.columns.id_now id
-- was: table.own.columns.d_now d
-- was: table.told_now told
-- was: table.told_now.columns.r23 "R 23"
-- was: function."thrice(x integer, y integer)" "twice(x integer)"
-- was: table.ranked.indexes.by_c_now by_c
-- was: table.ranked.columns.c_now c
-- was: table.felt_now felt
-- was: table.strict.columns.a_now a
-- was: materialized_view.summed_now summed
create table plain_now (id serial primary key, c integer unique, e integer references plain_now, check (c > 0));
create index on plain_now (c);
create table viewed_now (id integer primary key, c_now integer, d integer);
create view through_now as select id, c_now, d from viewed_now;
create table grown_now (id integer primary key, c_now integer, d bigint, y bigint);
create view growing_now as select id, c_now, d from grown_now;
create table wide_now (id bigserial primary key, c integer, e varchar(10), f varchar(20));
create table own (id_now bigserial primary key, c integer, d_now bigint, x text);
create table told_now (id uuid primary key, r23 uuid, c integer);
alter table told_now add constraint up foreign key (r23) references told_now on delete restrict deferrable initially deferred;
comment on column told_now.c is 'counted';
create function thrice(x integer, y integer default 1) returns integer language sql immutable return x * 3;
create view doubled as select thrice(id) as two, id from viewed_now;
create table ranked (id integer primary key, c_now integer, s bigint);
create index by_c_now on ranked (c_now desc);
create index by_both on ranked ((s is not null), (c_now is not null));
create type mood as enum ('ok', 'sad');
create table felt_now (id integer primary key, m mood, note text);
create table strict (id bigint primary key, a_now timestamptz, b text not null, constraint once unique (a_now), check (a_now is not null or a_now is null));
alter table strict enable row level security;
create materialized view summed_now as select id, c_now from viewed_now where id is not null;
create index summed_id on summed_now (id);
create materialized view over_summed as select c_now from summed_now;
insert into plain_now (c, e) values (1, 1), (2, 1);
insert into viewed_now values (1, 2, 3);
insert into grown_now values (1, 2, 3, null);
insert into own (c, d_now) values (1, 2), (3, 4);
-- arrives: select (select sum(c + e) from plain_now), (select sum(c_now) from through_now), (select sum(d) from growing_now), (select sum(d_now + id_now) from own), nextval('plain_now_id_seq'), nextval('own_id_now_seq')
