== first
-- rows: select * from people order by id; select * from shortest; select * from ages
create table people (id integer primary key, family text, born text);
CREATE VIEW short AS select id, family from people;
CREATE VIEW shorter AS select family from short;
CREATE VIEW shortest AS select upper(family) as l from shorter;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (family) values (new.family); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (family) values (new.l); end;
CREATE VIEW ages AS with a as (select family, born from people) select family, born from a;
insert into people values (1,'a','2000'),(2,'b','2001');
== second
-- rows: select * from people order by id; select * from shortest; select * from ages
-- was: table.people.columns.surname family
-- arrives: select * from people order by id; select * from shortest; select * from ages
create table people (id integer primary key, surname text not null default '', born text);
CREATE VIEW short AS select id, surname as family from people;
CREATE VIEW shorter AS select family from short;
CREATE VIEW shortest AS select upper(family) as l from shorter;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (surname) values (new.family); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (surname) values (new.l); end;
CREATE VIEW ages AS with a as (select surname, born from people) select surname as family, born from a;
insert into people values (1,'a','2000'),(2,'b','2001');
== first again
-- was: table.people.columns.family surname
create table people (id integer primary key, family text, born text);
CREATE VIEW short AS select id, family from people;
CREATE VIEW shorter AS select family from short;
CREATE VIEW shortest AS select upper(family) as l from shorter;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (family) values (new.family); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (family) values (new.l); end;
CREATE VIEW ages AS with a as (select family, born from people) select family, born from a;
insert into people values (1,'a','2000'),(2,'b','2001');
== a column for another
-- rows: select * from people order by id
create table people (id integer primary key, family text, city text default 'x');
CREATE VIEW short AS select id, city, family from people;
CREATE VIEW shorter AS select city from short;
CREATE VIEW shortest AS select upper(family) as l from short;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (family) values (new.family); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (family) values (new.l); end;
insert into people values (1,'a','x'),(2,'b','x');
== and back
-- rows: select * from people order by id
create table people (id integer primary key, family text, born text);
CREATE VIEW short AS select id, born, family from people;
CREATE VIEW shorter AS select born from short;
CREATE VIEW shortest AS select upper(family) as l from short;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (family) values (new.family); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (family) values (new.l); end;
insert into people values (1,'a',null),(2,'b',null);
== a view that shows all
-- rows: select * from families order by 1
create table people (id integer primary key, family text, born text);
CREATE VIEW everyone AS select a.* from people a;
CREATE VIEW families AS select family, born from everyone;
insert into people values (1,'a','2000'),(2,'b','2001');
== and what reads it
-- rows: select * from families order by 1
-- was: table.people.columns.surname family
-- arrives: select * from families order by 1; select * from lengths order by 1
create table people (id integer primary key, surname text);
CREATE VIEW everyone AS select a.* from people a;
CREATE VIEW families AS select surname from everyone;
CREATE VIEW lengths AS select surname, length(surname) as l from everyone;
insert into people values (1,'a'),(2,'b');
