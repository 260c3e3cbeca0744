== first
-- rows: select * from people order by id; select * from shortest; select * from ages
create table people (id integer primary key, last text, born text);
CREATE VIEW short AS select id, last from people;
CREATE VIEW shorter AS select last from short;
CREATE VIEW shortest AS select upper(last) as l from shorter;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (last) values (new.last); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (last) values (new.l); end;
CREATE VIEW ages AS with a as (select last, born from people) select last, born from a;
insert into people values (1,'a','2000'),(2,'b','2001');
== second
-- rows: select * from people order by id; select * from shortest; select * from ages
-- was: table.people.columns.surname last
-- arrives: select * from people order by id; select * from shortest; select * from ages
create table people (id integer primary key, surname text not null default '', born text);
CREATE VIEW short AS select id, surname as last from people;
CREATE VIEW shorter AS select last from short;
CREATE VIEW shortest AS select upper(last) as l from shorter;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (surname) values (new.last); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (surname) values (new.l); end;
CREATE VIEW ages AS with a as (select surname, born from people) select surname as last, born from a;
insert into people values (1,'a','2000'),(2,'b','2001');
== first again
-- was: table.people.columns.last surname
create table people (id integer primary key, last text, born text);
CREATE VIEW short AS select id, last from people;
CREATE VIEW shorter AS select last from short;
CREATE VIEW shortest AS select upper(last) as l from shorter;
CREATE TRIGGER short_ins instead of insert on short begin insert into people (last) values (new.last); end;
CREATE TRIGGER shortest_ins instead of insert on shortest begin insert into people (last) values (new.l); end;
CREATE VIEW ages AS with a as (select last, born from people) select last, born from a;
insert into people values (1,'a','2000'),(2,'b','2001');
