-- A table without a key whose updates are published: the server lets nobody update its rows, whatever has to be put back.
== narrow
create table log (n integer, at date not null, note text);
insert into log values (1, '2024-01-01', 'a'), (2, '2024-01-02', null);
create publication feed for table log;
-- rows: select n, at, note from log order by at
== wide
create table log (n bigint, at date not null, note text);
insert into log values (1, '2024-01-01', 'a'), (2, '2024-01-02', null);
create publication feed for table log;
-- rows: select n, at, note from log order by at
== timed
create table log (n smallint, at timestamp not null);
insert into log values (1, '2024-01-01'), (2, '2024-01-02');
create publication feed for all tables with (publish = 'insert, update');
-- rows: select n, at from log order by at
