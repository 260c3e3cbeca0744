== counted
-- rows: select id, a, b, c from t
create table t (id integer primary key autoincrement, a text not null default 'x', b decimal(10, 2) check (b > 0), c blob, unique (a));
create index i1 on t (b) where b > 5;
create index i2 on t (lower(a), b desc);
insert into t (a, b) values ('p', 1), ('q', 7);
== strict
-- rows: select id, a, b, c, d from t
create table t (id integer primary key, a text not null, b real, c blob, d any) strict;
create unique index i1 on t (a collate nocase);
insert into t (a, b) values ('p', 1), ('q', 7);
== keyed
-- rows: select id, a, b, c from t
create table t (id integer, a text not null, b real default (1+2), c blob, primary key (a, id desc)) without rowid;
create index i2 on t (b, c) where c is not null and b > 1;
insert into t (id, a, b) values (1, 'p', 1), (2, 'q', 7);
== computed
-- rows: select id, a, b, g1, g2 from t
create table t (id integer primary key, a text, b real, g1 real generated always as (b * 2) stored, g2 text as (upper(a)) virtual);
create index ig on t (g2);
insert into t (a, b) values ('p', 1), ('q', 7);
