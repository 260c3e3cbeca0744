== range
-- rows: select * from t order by id
create table t (id int, y int, d date not null default '2020-01-01', primary key (id, y)) partition by range (y) (partition p0 values less than (10), partition p1 values less than (20) comment 'mid', partition pm values less than maxvalue);
insert into t values (1, 5, '2020-01-01'), (2, 15, '1999-01-01'), (3, 25, '2020-01-01');
== nested
-- rows: select * from t order by id
create table t (id int, y int, d date not null default '2020-01-01', primary key (id, d)) partition by range (year(d)) subpartition by hash (to_days(d)) subpartitions 2 (partition p0 values less than (2000), partition p1 values less than maxvalue);
insert into t values (1, 5, '2020-01-01'), (2, 15, '1999-01-01'), (3, 25, '2020-01-01');
== list
-- rows: select * from t order by id
create table t (id int, y int, d date not null default '2020-01-01', primary key (id, y)) partition by list (y) (partition p0 values in (5, 15), partition p1 values in (25), partition dflt default);
insert into t values (1, 5, '2020-01-01'), (2, 15, '1999-01-01'), (3, 25, '2020-01-01');
== none
-- rows: select * from t order by id
create table t (id int, y int not null, d date not null default '2020-01-01', primary key (id));
insert into t values (1, 5, '2020-01-01'), (2, 15, '1999-01-01'), (3, 25, '2020-01-01');
