== computed
-- rows: select * from t order by id; select * from k order by id
create table t (id int not null primary key, n int, twice int as (n * 2) virtual) partition by hash (id) partitions 3;
create table k (id int, d date, extra varchar(9), two int as (id * 2) virtual) partition by range (year(d)) (partition a values less than (2000), partition b values less than maxvalue);
insert into t (id, n) values (1, 5), (2, null), (3, 7);
insert into k (id, d, extra) values (1, '1999-01-01', 'x'), (2, '2020-01-01', 'y');
== bare
-- rows: select * from t order by id; select * from k order by id
create table t (id int not null primary key, n int) partition by hash (id) partitions 3;
create table k (id int, d date) partition by range (year(d)) (partition a values less than (2000), partition b values less than maxvalue);
insert into t values (1, 5), (2, null), (3, 7);
insert into k values (1, '1999-01-01'), (2, '2020-01-01');
== nested
-- rows: select * from t order by id; select * from k order by id
create table t (id int not null primary key, n int, more int not null default 4) partition by linear key (id) partitions 2;
create table k (id int, d date, extra varchar(12)) partition by range (year(d)) subpartition by hash (id) subpartitions 2 (partition a values less than (2010) comment 'old', partition b values less than maxvalue);
insert into t values (1, 5, 1), (2, null, 2), (3, 7, 3);
insert into k values (1, '1999-01-01', 'x'), (2, '2020-01-01', 'y');
