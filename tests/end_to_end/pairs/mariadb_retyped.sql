== loose
-- rows: select * from t join u using (id) order by id
create table t (id int primary key, a varchar(20), b datetime(6), c decimal(12,4) not null, d double, e enum('1', '2'), stamp timestamp not null default current_timestamp on update current_timestamp, n int, key by_b (b, n), unique key by_c (c), constraint late check (b > '2000-01-01' or c > 0));
insert into t values (1, '007', '2020-01-02 03:04:05.678901', 1.2345, 0.123456789, '2', '2001-01-01 00:00:00', 1), (2, '8', null, 7, null, null, '2002-02-02 00:00:00', 2);
create table u (id int primary key, v varchar(40), w varchar(30), x int, key by_v (v, id), unique key by_w (w));
insert into u values (1, 'a', 'b', 1), (2, null, 'c', 2);
== tight
-- rows: select * from t join u using (id) order by id
create table t (id int primary key, a int, b date, c decimal(8,1) not null, d float, e int, stamp timestamp not null default current_timestamp on update current_timestamp, n int, key by_b (b, n), unique key by_c (c), constraint late check (b > '2000-01-01' or c > 0));
insert into t values (1, 7, '2020-01-02', 1.2, 0.5, 2, '2001-01-01 00:00:00', 1), (2, 8, null, 7.5, null, null, '2002-02-02 00:00:00', 2);
create table u (id int primary key, v text, w text, x bigint, key by_v (v(10), id), unique key by_w (w(20)));
insert into u values (1, 'a', 'b', 1), (2, null, 'c', 2);
== other
-- rows: select * from t join u using (id) order by id
create table t (id int primary key, a char(20) character set latin1, b timestamp null, c double not null, d decimal(10,2), e varchar(3), stamp datetime(3) default current_timestamp(3) on update current_timestamp(3), m int not null default 3, key by_b (b), unique key by_c (c), key by_d (d desc, a(3)));
insert into t values (1, '7', '2020-01-02 03:04:05', 1.25, 0.12, '1', '2001-01-01 00:00:00.123', 1), (2, '8', null, 7.1, null, null, '2002-02-02 00:00:00', 2);
create table u (id int primary key, v mediumtext, w varchar(30), x int, key by_v (v(5)));
insert into u values (1, 'a', 'b', 1), (2, null, 'c', 2);
