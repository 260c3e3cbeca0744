== one
-- rows: select id, a, c from t
create table t (id int primary key, a int, c varchar(20));
create view v1 as select id, a, c from t;
create view v2 as select id, a * 2 as a2, c from v1 where a > 0;
create view v3 as select id, c from v2;
insert into t values (1, 2, 'x');
== two
-- rows: select id, a, b from t
create table t (id int primary key, a int, b varchar(10));
create view v1 as select id, a from t;
create view v2 as select id, a * 2 as a2 from v1 where a > 0;
create view v3 as select a2 from v2;
insert into t values (1, 2, 'x');
