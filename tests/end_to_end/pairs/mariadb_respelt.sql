== small
-- rows: select * from t order by 1
create table p (id int primary key);
create table t (id int primary key, name varchar(20), parent int, loud varchar(20) as (upper(name)) virtual, key by_name (name), constraint up foreign key (parent) references p (id), constraint named check (name <> ''));
insert into p values (1);
insert into t (id, name, parent) values (1, 'a', 1), (2, 'b', null);
== large
-- rows: select * from t order by 1
create table p (Id int primary key);
create table t (ID int primary key, Name varchar(30), Parent int, Loud varchar(30) as (upper(Name)) virtual, key by_name (Name), constraint up foreign key (Parent) references p (Id), constraint named check (Name <> ''));
insert into p values (1);
insert into t (ID, Name, Parent) values (1, 'a', 1), (2, 'b', null);
