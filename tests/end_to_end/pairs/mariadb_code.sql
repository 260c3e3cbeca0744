== one
-- rows: select nextval(s1) > 100, count(*) from t
create sequence s1 start with 100 increment by 10 minvalue 1 maxvalue 1000 cache 20 cycle;
create table t (id int not null default nextval(s1) primary key, a int);
insert into t (a) values (1), (2);
create view v1 as select id, a from t where a > 1;
create view v2 as select v1.id, t.a from v1 join t using (id);
== two
-- rows: select count(*) from t
create sequence s1 start with 100 increment by 5 nocache;
create sequence s3 start with -1 increment by -1 minvalue -100 maxvalue -1;
create table t (id bigint not null default nextval(s1) primary key, a int default 3);
insert into t (a) values (1), (2);
create algorithm=merge sql security invoker view v2 (x, y) as select t.id, t.a from t;
== versioned
-- rows: select id, a from t
create table t (id int not null primary key, a int) with system versioning;
insert into t values (1, 1);
