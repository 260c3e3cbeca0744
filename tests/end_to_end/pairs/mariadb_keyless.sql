== many
-- rows: select a, b, c from t order by a, b, c
create table t (a int, b varchar(10), c int, unique key u (a, b));
insert into t values (1, 'x', 1), (2, 'x', 1), (3, 'x', 2), (null, null, null), (null, 'x', 1);
== one
-- rows: select b from t order by b
create table t (b varchar(10));
insert into t values ('x'), ('x'), (null);
== other
-- rows: select d from t order by d
create table t (d int, key (d));
insert into t values (1), (2), (2);
