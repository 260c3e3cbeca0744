== aria
-- rows: select * from t order by id
create table t (id int not null, a int, b text, primary key (id)) engine=Aria page_checksum=0 transactional=0;
insert into t values (1, 2, 'x'), (2, 3, 'y');
== memory
-- rows: select * from t order by id
create table t (id int not null, a int, primary key (id) using hash, key ka (a) using btree) engine=MEMORY;
insert into t values (1, 2), (2, 3);
== usual
-- rows: select * from t order by id
create table t (id int not null, a int, primary key (id), key ka (a)) engine=MEMORY;
insert into t values (1, 2), (2, 3);
== history
-- rows: select id, a, b, c from t order by id
create table t (id int not null, a int, b text, c int without system versioning, primary key (id)) with system versioning;
insert into t values (1, 2, 'x', 3), (2, 3, 'y', 4);
== long
-- rows: select * from t order by id
create table t (id int not null, a int, b text, primary key (id), unique key ub (b)) page_compressed=1;
insert into t values (1, 2, 'x'), (2, 3, 'y');
== longer
-- rows: select * from t order by id
create table t (id int not null, b text, c int, d text compressed, primary key (id), unique key ub (b, d));
insert into t values (1, 'x', 2, 'u'), (2, 'y', 3, 'v');
== timed
-- rows: select id, m from t order by id
create table t (id int not null, a set('p', 'q', 'r'), m timestamp null default null, primary key (id));
insert into t values (1, 'p,q', '2020-01-01'), (2, 'q,r', '2020-01-01');
== timed_always
-- rows: select id, m, a from t order by id
create table t (id int not null, a set('r', 's', 'q', 'p'), m timestamp not null default current_timestamp, primary key (id));
insert into t values (1, 'p,q', '2020-01-01'), (2, 'q,r', '2020-01-01');
