-- Columns that change their type while new and old columns, indexes and checks are computed from them, and rows of a type that gains a field.
== numbers
create type spot as (x integer, y integer);
create table item (id integer primary key, c integer, k smallint not null, place spot);
create index by_c on item ((c + 1), k);
insert into item values (1, 10, 2, (1, 2)), (2, 20, 3, (3, null)), (3, null, 4, (5, 6));
create table zone (id integer primary key, size numeric(12, 2), note text) partition by range (id);
create table label (id integer primary key, c varchar(20), loud text generated always as (upper(c)) stored, constraint no_q check (c <> 'q'));
insert into label (id, c) values (1, 'a');
create view zones as select id, note from zone;
-- rows: select id, c, k, place from item order by id
== computed
create type spot as (x integer, y integer, z integer);
create table item (
  id integer primary key,
  c bigint,
  k integer not null,
  place spot not null,
  twice bigint generated always as (c * 2) stored,
  constraint small check (twice < 1000),
  constraint one_each unique (twice, id)
);
comment on column item.twice is 'for the index';
create index by_c on item ((c + 1), k);
insert into item values (1, 10, 2, (1, 2, 0)), (2, 20, 3, (3, null, 0)), (3, null, 4, (5, 6, 0));
create table zone (id integer primary key, size double precision) partition by range (id);
create table label (id integer primary key, c text, loud text generated always as (upper(c)) stored, constraint no_q check (c <> 'q'));
insert into label (id, c) values (1, 'a');
create view zones as select size, id from zone;
-- rows: select id, c, k, (place).x from item order by id
== texts
create type spot as (x integer, y integer);
create table item (id integer primary key, c text, k numeric(8, 2) not null, place spot, low text generated always as (lower(c)) stored);
create index by_c on item ((lower(c)), k);
insert into item values (1, '10', 2, (1, 2)), (2, '20', 3, (3, null)), (3, null, 4, (5, 6));
create table zone (id bigint primary key, size text, note text) partition by range (id);
create table label (id integer primary key, c varchar(40), loud text generated always as (lower(c)) stored, constraint no_q check (c <> 'q'));
insert into label (id, c) values (1, 'a');
create view zones as select id, note, size from zone;
-- rows: select id, c, k, place from item order by id
