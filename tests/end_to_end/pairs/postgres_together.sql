-- version: 14
-- What holds together: functions that call each other or give back rows of a table that changes, what makes values of a range type, a
-- default over an enum that leaves with its NOT NULL, privileges that a foreign table has from its schema, a domain made anew that has
-- a comment and privileges no more, a
-- trigger that waits for the end of a transaction.
== first
create function is_even(x integer) returns boolean language plpgsql as $$begin return x = 0 or public.is_odd(x - 1); end$$;
create function is_odd(x integer) returns boolean language plpgsql as $$begin return x > 0 and public.is_even(x - 1); end$$;
create table item (id integer primary key, name text, size integer);
create function one(wanted integer) returns item language sql begin atomic select item.* from item where item.id = wanted; end;
create function every() returns setof item language plpgsql as $$begin return query select i.id, i.name, i.size from public.item i; end$$;
insert into item values (1, 'a', 1), (2, 'b', 2);
create function noted() returns trigger language plpgsql as $$begin return null; end$$;
create table note (id integer primary key, size integer, text text);
create constraint trigger noted after update on note deferrable initially deferred for each row execute function noted();
insert into note values (1, 2, 'a');
create type span as range (subtype = bigint);
create type mood as enum ('sad', 'ok');
create table day (id integer primary key, at span, mood mood not null default 'sad', check (mood <> 'sad' or id > 0));
insert into day values (1, '[1,2]', 'sad'), (2, null, 'ok');
create schema far;
alter default privileges in schema far grant select on tables to public;
create foreign data wrapper wrapper;
create server server foreign data wrapper wrapper;
create foreign table far.item (id integer) server server;
revoke select on far.item from public;
create domain width as bigint constraint positive check (value > 0);
comment on domain width is 'how wide';
revoke usage on type width from public;
create table door (id integer primary key, width width);
insert into door values (1, 4);
-- rows: select i.id, i.size, at, mood, (select sum(width) from door) from item i join day using (id) order by 1
== second
create function is_even(x bigint) returns boolean language plpgsql as $$begin return x = 0 or public.is_odd(x - 1); end$$;
create function is_odd(x bigint) returns boolean language plpgsql as $$begin return x > 0 and public.is_even(x - 1); end$$;
create table item (id integer primary key, name text, size bigint);
create function one(wanted integer) returns item language sql begin atomic select item.* from item where item.id = wanted; end;
create function every() returns setof item language plpgsql as $$begin return query select i.id, i.name, i.size from public.item i; end$$;
insert into item values (1, 'a', 1), (2, 'b', 2);
create function noted() returns trigger language plpgsql as $$begin return null; end$$;
create table note (id integer primary key, size bigint);
create constraint trigger noted after update on note deferrable initially deferred for each row execute function noted();
insert into note values (1, 2);
create function apart(a bigint, b bigint) returns float8 language sql immutable as 'select (a - b)::float8';
create type span as range (subtype = bigint, subtype_diff = apart);
create type mood as enum ('new', 'sad', 'ok');
create table day (id integer primary key, at span, mood mood default 'new');
comment on column day.mood is 'how it was';
insert into day values (1, '[1,2]', 'sad'), (2, null, 'ok');
create schema far;
alter default privileges in schema far grant select on tables to public;
create domain width as integer check (value > 0);
create table door (id integer primary key, width width);
insert into door values (1, 4);
-- rows: select i.id, i.size, at, mood from item i join day using (id) order by 1
