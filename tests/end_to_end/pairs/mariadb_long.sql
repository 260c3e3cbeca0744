== long
-- rows: select * from t order by id
create table t (id int not null, b text, s set('p', 'q', 'r'), m timestamp null default null, primary key (id), unique key ub (b));
insert into t values (1, 'x', 'p,q', '2020-01-01'), (2, 'y', 'q,r', '2020-01-01');
== longer
-- rows: select id, b, s, m, c from t order by id
create table t (id int not null, b text, c int, d text compressed, s set('r', 's', 'q', 'p'), m timestamp not null default current_timestamp, primary key (id), unique key ub (b, c)) charset utf8mb3;
insert into t values (1, 'x', 2, 'u', 'p,q', '2020-01-01'), (2, 'y', 3, 'v', 'q,r', '2020-01-01');
== short
-- rows: select id, b from t order by id
create table t (id int not null, b varchar(30), primary key (id));
insert into t values (1, 'x'), (2, 'y');
