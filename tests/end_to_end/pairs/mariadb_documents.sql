== first
-- rows: select * from events order by id
create table events (id bigint not null auto_increment primary key, payload json not null, kind varchar(30) as (json_value(payload, '$.kind')) virtual, amount decimal(10,2) as (cast(json_value(payload,'$.amount') as decimal(10,2))) stored, key k (kind), key ka (kind, amount), check (json_length(payload) > 0));
insert into events (payload) values ('{"kind":"a","amount":3.5}'),('{"kind":"b","amount":"4"}');
== second
-- rows: select * from events order by id
-- arrives: select * from events order by id
create table events (id bigint not null auto_increment primary key, payload json not null, kind varchar(50) as (lower(json_value(payload, '$.kind'))) stored, amount decimal(12,3) as (cast(json_value(payload,'$.amount') as decimal(12,3))) virtual, actor varchar(20) as (json_value(payload,'$.actor')) virtual, key k (kind), key ak (amount, kind), unique key un (actor, id), constraint has_kind check (json_exists(payload, '$.kind')));
insert into events (payload) values ('{"kind":"a","amount":3.5}'),('{"kind":"b","amount":"4"}');
== first again
create table events (id bigint not null auto_increment primary key, payload json not null, kind varchar(30) as (json_value(payload, '$.kind')) virtual, amount decimal(10,2) as (cast(json_value(payload,'$.amount') as decimal(10,2))) stored, key k (kind), key ka (kind, amount), check (json_length(payload) > 0));
insert into events (payload) values ('{"kind":"a","amount":3.5}'),('{"kind":"b","amount":"4"}');
== words
-- rows: select id, c, d, j from t
create table t (id int not null auto_increment, c varchar(40), d int, j json, primary key (id), fulltext key f1 (c));
insert into t values (1, 'c', 2, '{}'), (2, 'd', 3, '[]');
== no words any more
-- rows: select id, d, e, j from t
create table t (id int not null auto_increment, d int default 7, e varchar(40), j json not null default '{}', primary key (id));
insert into t values (1, 2, 'e', '{}'), (2, 3, 'f', '[]');
== said of them
-- rows: select id, d, e, j from t
create table t (id int not null auto_increment, d int default 7, e varchar(40), j json not null default '{}' comment 'all else', primary key (id));
insert into t values (1, 2, 'e', '{}'), (2, 3, 'f', '[]');
== seen by another name
-- rows: select id, d, e, j from t
create table t (id int not null auto_increment, d int default 7 check (d > 0), e varchar(40), j json not null default '{}', primary key (id), constraint few check (length(e) < 30));
insert into t values (1, 2, 'e', '{}'), (2, 3, 'f', '[]');
create algorithm = merge view seen as select a.id from t a left join t b on b.id is null;
== named otherwise
-- rows: select id, n, w, k from t
-- was: table.t.columns.n d
-- was: table.t.columns.w e
-- was: table.t.columns.k j
-- arrives: select id, n, w, k from t
create table t (id int not null auto_increment, n int default 7 check (n > 0), w varchar(40), k json not null default '{}', primary key (id), constraint few check (length(w) < 30));
insert into t values (1, 2, 'e', '{}'), (2, 3, 'f', '[]');
create algorithm = merge view seen as select a.id from t a left join t b on b.id is null;
