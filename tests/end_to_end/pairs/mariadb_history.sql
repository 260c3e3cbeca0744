== plain
-- rows: select * from t order by id
create table t (id int not null, a int, d date not null default '0000-00-00', primary key (id));
insert into t values (1, 2, '2020-01-01'), (2, 3, '2020-01-01');
create table room (id int, since date not null, until date not null, period for taken (since, until), unique (id, taken without overlaps));
== partly
-- rows: select id, a, c, d from t order by id
create table t (id int not null, a int, d date not null default '0000-00-00', c int without system versioning, primary key (id)) with system versioning;
insert into t values (1, 2, '2020-01-01', 3), (2, 3, '2020-01-01', 4);
create table room (id int, since date not null, until date not null, period for taken (since, until), unique (id, taken without overlaps));
== other
-- rows: select id, a, c, d from t order by id
create table t (id int not null, a int without system versioning, d date not null default '0000-00-00', c int, primary key (id)) with system versioning partition by system_time (partition p0 history, partition pc current);
insert into t values (1, 2, '2020-01-01', 3), (2, 3, '2020-01-01', 4);
create table room (id int, since date not null, until date not null, period for taken (since, until), unique (id, taken without overlaps));
