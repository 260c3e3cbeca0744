== a
CREATE TABLE t (id int auto_increment primary key, n int, v varchar(20) not null default 'x', e enum('a','b'), d decimal(8,2), key n (n), unique key u (n, id));
INSERT INTO t VALUES (1,1,'a','a',1.25),(2,2,'b','b',2.5),(7,NULL,'c',NULL,NULL);
DELETE FROM t WHERE id=7;
-- rows: select id, n, v, e, d from t order by id
== b
CREATE TABLE t (id int auto_increment primary key, n bigint, v varchar(300) not null default 'y', e enum('c','a','b'), d decimal(10,2), key n (n), unique key u (n, id));
INSERT INTO t VALUES (1,1,'a','a',1.25),(2,2,'b','b',2.5);
-- rows: select id, n, v, e, d from t order by id
== c
CREATE TABLE t (id bigint auto_increment primary key, n bigint not null, v varchar(300) not null default 'y' comment 'vv', e enum('c','a','b'), d decimal(10,2), key n (n), unique key u (n, id)) comment 'hello';
INSERT INTO t VALUES (1,1,'a','a',1.25),(2,2,'b','b',2.5);
-- rows: select id, n, v, e, d from t order by id
== d
CREATE TABLE t (id bigint auto_increment primary key, n bigint not null, v varchar(300) not null default 'y' comment 'vv', e enum('c','a','b'), d decimal(10,2), g bigint generated always as (n+1) stored, key n (n), unique key u (n, id)) comment 'hello' character set utf8mb3;
INSERT INTO t (id,n,v,e,d) VALUES (1,1,'a','a',1.25),(2,2,'b','b',2.5);
-- rows: select id, n, v, e, d, g from t order by id
