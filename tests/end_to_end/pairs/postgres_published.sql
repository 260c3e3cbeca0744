-- A table without a key whose updates are published: the server lets nobody update its rows, whatever has to be put back.
== narrow
create table log (n integer, at date not null, note text);
insert into log values (1, '2024-01-01', 'a'), (2, '2024-01-02', null);
create table part (n integer, k integer not null) partition by range (k);
create table part_1 partition of part for values from (0) to (10);
create table part_2 partition of part for values from (10) to (20);
insert into part values (1, 1), (2, 11);
create publication feed for table log, part;
-- rows: select n, at, note from log order by at
== wide
create table log (n bigint, at date not null, note text, mark uuid not null default gen_random_uuid());
insert into log values (1, '2024-01-01', 'a'), (2, '2024-01-02', null);
create table part (n numeric(12, 2), k integer not null, mark uuid default gen_random_uuid()) partition by range (k);
create table part_1 partition of part for values from (0) to (10);
create table part_2 partition of part for values from (10) to (20);
insert into part values (1, 1), (2, 11);
create publication feed for table log, part;
-- rows: select n, at, note from log order by at
== timed
create table log (n smallint, at timestamp not null);
insert into log values (1, '2024-01-01'), (2, '2024-01-02');
create table part (n smallint, k integer not null) partition by range (k);
create table part_1 partition of part for values from (0) to (10);
create table part_2 partition of part for values from (10) to (20);
insert into part values (1, 1), (2, 11);
create publication feed for all tables with (publish = 'insert, update');
-- rows: select n, at from log order by at
