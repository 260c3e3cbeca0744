Operators that name each other: the first one makes a shell of the second, and each knows of the other until one of them goes.

== none
create schema app;
create table app.t (id integer primary key, b text);
insert into app.t values (1, 'x'), (2, '2');
-- rows: select id, b from app.t order by id
== both
create schema app;
create table app.t (id integer primary key, b text);
create function app.plus(integer, text) returns text language sql immutable as $$select $2||'x'||$1$$;
create function app.plus(text, integer) returns text language sql immutable as $$select $1||$2$$;
create operator app.@@@ (leftarg=integer, rightarg=text, function=app.plus, commutator=operator(app.@@@));
create operator app.@@@ (leftarg=text, rightarg=integer, function=app.plus, commutator=operator(app.@@@));
create view app.v as select id operator(app.@@@) b as z from app.t;
create domain app.d as text check ((value operator(app.@@@) 1) <> 'q');
create table app.kept (x app.d, y text default 'q'::text operator(app.@@@) 1, exclude (y with =) where ((y operator(app.@@@) 1) <> ''));
insert into app.kept values ('a', 'b');
-- rows: select x, y from app.kept
== one
create schema app;
create table app.t (id integer primary key, b text);
create function app.plus(text, integer) returns text language sql immutable as $$select $1||$2$$;
create operator app.@@@ (leftarg=text, rightarg=integer, function=app.plus);
insert into app.t values (1, 'x'), (2, '2');
-- rows: select id, b from app.t order by id
== negators
create schema app;
create table app.t (id integer primary key, b text);
create function app.eq(integer, text) returns boolean language sql immutable as $$select $2 = $1::text$$;
create function app.ne(integer, text) returns boolean language sql immutable as $$select $2 <> $1::text$$;
create function app.eq(text, integer) returns boolean language sql immutable as $$select $1 = $2::text$$;
create function app.ne(text, integer) returns boolean language sql immutable as $$select $1 <> $2::text$$;
create operator app.=#= (leftarg=integer, rightarg=text, function=app.eq, commutator=operator(app.=#=), negator=operator(app.!#=), restrict=eqsel, join=eqjoinsel);
create operator app.!#= (leftarg=integer, rightarg=text, function=app.ne, commutator=operator(app.!#=), negator=operator(app.=#=), restrict=neqsel, join=neqjoinsel);
create operator app.=#= (leftarg=text, rightarg=integer, function=app.eq, commutator=operator(app.=#=), negator=operator(app.!#=));
create operator app.!#= (leftarg=text, rightarg=integer, function=app.ne, commutator=operator(app.!#=), negator=operator(app.=#=));
comment on operator app.=#= (integer, text) is 'same';
create view app.v as select id from app.t where id operator(app.=#=) b;
create index tp on app.t (id) where not (id operator(app.=#=) b);
alter table app.t add check (id operator(app.!#=) b or id < 3);
insert into app.t values (1, 'x'), (2, '2');
-- rows: select id, b from app.t order by id
== loose
create schema app;
create table app.t (id integer primary key, b text);
create function app.eq(integer, text) returns boolean language sql immutable as $$select $2 = $1::text$$;
create function app.ne(integer, text) returns boolean language sql immutable as $$select $2 <> $1::text$$;
create function app.eq(text, integer) returns boolean language sql immutable as $$select $1 = $2::text$$;
create operator app.=#= (leftarg=integer, rightarg=text, function=app.eq, negator=operator(app.!#=));
create operator app.!#= (leftarg=integer, rightarg=text, function=app.ne, negator=operator(app.=#=), restrict=neqsel);
create operator app.=#= (leftarg=text, rightarg=integer, function=app.eq);
create view app.v as select id from app.t where id operator(app.=#=) b;
create index tp on app.t (id) where not (id operator(app.=#=) b);
alter table app.t add check (id operator(app.!#=) b or id < 3);
insert into app.t values (1, 'x'), (2, '2');
-- rows: select id, b from app.t order by id
== class
create schema app;
create table app.t (id integer primary key, b text);
create function app.lt(text, text) returns boolean language sql immutable as $$select $1 < $2$$;
create function app.le(text, text) returns boolean language sql immutable as $$select $1 <= $2$$;
create function app.eq(text, text) returns boolean language sql immutable as $$select $1 = $2$$;
create function app.ge(text, text) returns boolean language sql immutable as $$select $1 >= $2$$;
create function app.gt(text, text) returns boolean language sql immutable as $$select $1 > $2$$;
create function app.cmp(text, text) returns integer language sql immutable as $$select case when $1 < $2 then -1 when $1 > $2 then 1 else 0 end$$;
create operator app.<# (leftarg=text, rightarg=text, function=app.lt, commutator=operator(app.>#), negator=operator(app.>=#), restrict=scalarltsel);
create operator app.<=# (leftarg=text, rightarg=text, function=app.le, commutator=operator(app.>=#), negator=operator(app.>#));
create operator app.=# (leftarg=text, rightarg=text, function=app.eq, commutator=operator(app.=#), merges, hashes);
create operator app.>=# (leftarg=text, rightarg=text, function=app.ge, commutator=operator(app.<=#), negator=operator(app.<#));
create operator app.># (leftarg=text, rightarg=text, function=app.gt, commutator=operator(app.<#), negator=operator(app.<=#));
create operator class app.oc for type text using btree as operator 1 app.<#, operator 2 app.<=#, operator 3 app.=#, operator 4 app.>=#, operator 5 app.>#, function 1 app.cmp(text, text);
create index tix on app.t (b app.oc);
alter table app.t add constraint ex exclude using btree (b app.oc with operator(app.=#));
create aggregate app.least(text) (sfunc=text_smaller, stype=text, sortop=operator(app.<#));
== none again
create schema app;
create table app.t (id integer primary key, b text);
