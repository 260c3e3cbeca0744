== one
-- rows: select id, name, tag from w
create table w (id integer primary key, name text collate nocase unique, tag text);
create index w_tag on w (tag collate rtrim);
create table held (id integer primary key, word text);
create trigger tidies after insert on held begin update held set word = trim(word) where id = new.id; end;
insert into w values (1, 'A', 'x '), (2, 'b', 'x');
== two
-- rows: select id, name, tag from w
create table w (id integer primary key, name text unique, tag text collate rtrim not null);
create index w_tag on w (tag, name collate nocase desc);
create table kept (id integer primary key, word text);
create trigger tidies after insert on kept begin update kept set word = trim(word) where id = new.id; end;
insert into w values (1, 'A', 'x '), (2, 'b', 'x');
== three
-- rows: select id, name, tag from w
create table w (id integer primary key, name text collate rtrim unique, tag text not null);
create index w_tag on w (tag collate nocase, name collate nocase desc);
create view v AS select name, tag from w;
insert into w values (1, 'A', 'x '), (2, 'b', 'x');
