-- Values kept in a table without a key while the types of its other columns are made anew; keys that take another name while what
-- refers to them changes; a column of a type that is made anew becomes required.
== first
create type mood as enum ('ok', 'sad', 'gone');
create type spot as (x integer, y integer);
create table place (id integer primary key, at spot, by spot[], n integer);
insert into place values (1, (1, 2), array[row(3, 4)::spot], 1), (2, null, null, 2);
create table log (m mood, ms mood[], note text, at spot);
insert into log values ('ok', '{ok}', 'a', (1, 2)), ('sad', '{ok,sad}', null, null), ('ok', '{ok}', 'a', (1, 2));
create table day (id integer, k integer, ms mood[], primary key (id, k)) partition by range (k);
create table day_1 partition of day for values from (0) to (10);
create view days as select ms from day;
create table whole (id bigint not null, primary key (id));
create table part (id bigint not null, of bigint references whole);
insert into whole values (1);
insert into part values (1, 1);
-- rows: select m, ms, (select string_agg(concat_ws(' ', id, at, by, n), ';' order by id) from place) from log order by 1, 2
== second
create type mood as enum ('ok', 'sad');
create type spot as (x integer, y integer, z integer);
create table place (id integer primary key, n integer);
insert into place values (1, 1), (2, 2);
create table log (m mood, ms mood[] not null, extra integer, at spot);
insert into log (m, ms) values ('ok', '{ok}'), ('sad', '{ok,sad}'), ('ok', '{ok}');
create table whole (id bigint not null, constraint own primary key (id));
create table part (id bigint not null primary key, of bigint references whole deferrable) with (fillfactor = 85);
insert into whole values (1);
insert into part values (1, 1);
-- rows: select m, ms from log order by 1, 2
== third
create type mood as enum ('sad', 'ok');
create table log (m mood not null, ms mood[], note varchar(10));
insert into log values ('ok', '{ok}', 'a'), ('sad', '{}', null), ('ok', '{ok}', 'a');
create table whole (id integer not null, constraint other unique (id));
create table part (id bigint not null, of integer references whole (id) on delete cascade);
insert into whole values (1);
insert into part values (1, 1);
-- rows: select m from log order by 1
