== aria
-- rows: select * from t order by id
create table t (id int not null, a int, b varchar(20), primary key (id), key ka (a)) engine=Aria page_checksum=0 transactional=0;
insert into t values (1, 2, 'x'), (2, 3, 'y');
== safe
-- rows: select * from t order by id
create table t (id int not null, a int, b varchar(20), x int, primary key (id), key ka (a)) engine=Aria page_checksum=1;
insert into t values (1, 2, 'x', 3), (2, 3, 'y', 4);
== memory
-- rows: select * from t order by id
create table t (id int not null, a int, b varchar(20), primary key (id), key ka (a)) engine=MEMORY;
insert into t values (1, 2, 'x'), (2, 3, 'y');
== innodb
-- rows: select * from t order by id
create table t (id int not null, a int, b varchar(20), primary key (id), key ka (a)) page_compressed=1;
insert into t values (1, 2, 'x'), (2, 3, 'y');
