== one
-- rows: select id, a, b, c, e from t
create table t (id int not null auto_increment, a int not null, b varchar(200), c text, e varchar(100), primary key (id), key k1 (a), unique key u1 (b), fulltext key f1 (c), key p1 (c(20)), key m1 (a, b(10), e));
insert into t values (1, 1, 'b', 'c', 'e'), (2, 1, 'c', 'd', 'f');
== two
-- rows: select id, a, b, c, e from t
create table t (id int not null auto_increment, a int not null, b varchar(200), c text, e varchar(100), primary key (id, a), key k1 (a desc), unique key u1 (b(50)), fulltext key f1 (c, b), fulltext key f2 (e) comment 'full', key p1 (c(40)), key ig (e, a) ignored);
insert into t values (1, 1, 'b', 'c', 'e'), (2, 1, 'c', 'd', 'f');
== shorter
-- rows: select id, a, b, c, e from t
create table t (id int not null auto_increment, a int not null, b varchar(10), c varchar(20), e varchar(100), primary key (id), unique key u1 (b), key p1 (c), key m1 (a, b, e));
insert into t values (1, 1, 'b', 'c', 'e'), (2, 1, 'c', 'd', 'f');
== none
create table other (serial serial, note text);
