== behind
-- rows: select id, n from t order by id
create table t (id int not null, n int not null auto_increment, key kn (n), primary key (id));
insert into t values (5, 1), (6, 2);
== unique
-- rows: select id, n from t order by id
create table t (id int not null, n bigint not null auto_increment, unique key kn2 (n, id), primary key (id));
insert into t values (5, 1), (6, 2);
== other
-- rows: select id, m from t order by id
create table t (id int not null auto_increment, m varchar(10), primary key (id));
insert into t values (5, 'a'), (6, 'b');
== none
-- rows: select id from t order by id
create table t (id int not null);
insert into t values (5), (6);
