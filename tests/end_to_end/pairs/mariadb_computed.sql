== plain
-- rows: select id, a, b, g1, g2, g3 from t
create table t (id int primary key, a int, b int, g1 int as (a+b) virtual, g2 int as (a*2) persistent, g3 varchar(40) generated always as (concat('x', a)) stored, key (g1), key (g2));
insert into t (id, a, b) values (1, 2, 3);
== other
-- rows: select id, a, b, g1, g2, g3 from t
create table t (id int primary key, a int, b int, g1 int as (a-b) virtual, g2 bigint as (a*2) persistent, g3 varchar(60) generated always as (concat('y', a)) stored, unique (g2));
insert into t (id, a, b) values (1, 2, 3), (2, 3, 4);
== turned
-- rows: select id, a, b, g1, g2, g5, g6 from t
create table t (id int primary key, a int, b int, g1 int as (a+b) persistent, g2 int as (a*2) virtual, g5 int as (g1 + 1) virtual invisible, g6 int as (if(a > 1, 1, 0)) virtual comment 'flag');
insert into t (id, a, b) values (1, 2, 3);
