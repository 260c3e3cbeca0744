== loose
-- rows: select id, typeof(a), a, typeof(b), b, c from t order by id
create table t (id integer primary key, a, b numeric, c int);
insert into t values (1, 1, '2.5', 7), (2, 'x', 3, null), (3, x'00', 'y', 9);
== text
-- rows: select id, typeof(a), a, typeof(b), b, c from t order by id
create table t (id integer primary key, a text collate nocase, b text, c int as (id * 2) stored);
create index by_a on t (a, b desc) where b > '1';
insert into t (id, a, b) values (1, 'Q', 'r'), (2, '10', '3'), (3, null, '1e1');
== strict
-- rows: select id, typeof(a), a, typeof(b), b, c from t order by id
create table t (id integer primary key autoincrement, a any, b any, c any, d int as (length(a)) virtual) strict;
create index by_a on t (lower(a)) where c is not null;
insert into t (id, a, b, c) values (1, '1', 2.5, 7), (2, 10, x'01', null);
