== first
-- rows: select * from sales order by id; select * from ranked
create table sales (id integer primary key, region text, amt real);
CREATE VIEW ranked AS with t as (select region, sum(amt) as total from sales group by region) select region, total, rank() over (order by total desc) as r from t;
insert into sales values (1,'a',5),(2,'b',7);
== second
-- rows: select * from sales order by id; select * from ranked
-- was: table.sales.columns.area region
-- was: table.sales.columns.amount amt
-- arrives: select * from sales order by id; select * from ranked
create table sales (id integer primary key, area text not null, amount real not null default 0);
CREATE VIEW ranked AS with t as (select area, sum(amount) as total from sales group by area) select area, total, rank() over (order by total desc) as r from t;
insert into sales values (1,'a',5),(2,'b',7);
== first again
-- was: table.sales.columns.region area
-- was: table.sales.columns.amt amount
create table sales (id integer primary key, region text, amt real);
CREATE VIEW ranked AS with t as (select region, sum(amt) as total from sales group by region) select region, total, rank() over (order by total desc) as r from t;
insert into sales values (1,'a',5),(2,'b',7);
== regions apart
-- rows: select * from sales order by id; select * from regions
create table regions (id integer primary key, code text unique, name text);
create table sales (id integer primary key, region text, amt real);
insert into regions values (1,'a','North'),(2,'b','South');
insert into sales values (1,'a',5),(2,'b',7);
== sales of regions
-- rows: select * from sales order by id; select * from regions
create table regions (id integer primary key, code text unique, name text);
create table sales (id integer primary key, region text references regions (code), amt real);
insert into regions values (1,'a','North'),(2,'b','South');
insert into sales values (1,'a',5),(2,'b',7);
== areas that no sale refers to
-- rows: select * from sales order by id; select * from areas
-- was: table.areas regions
-- was: table.areas.columns.short code
create table areas (id integer primary key, short text unique, name text not null default '');
create table sales (id integer primary key, region text collate nocase, amt real);
insert into areas values (1,'a','North'),(2,'b','South');
insert into sales values (1,'a',5),(2,'b',7);
