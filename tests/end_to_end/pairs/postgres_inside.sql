-- What holds values of a type inside, and what is over that: a composite type with an enum and a domain, a procedure that takes it, a cast, a
-- column that is computed by a function of it.
-- Heirs whose rows have the keys of their parent's, and keys of their own. A partition that leaves, and counts its rows by itself from
-- then on. Numbers of another kind from a sequence. A name as long as they may be.
== first
create type mood as enum ('sad', 'ok');
create domain size as integer constraint positive check (value > 0);
create type parcel as (mood mood, size size);
create function mood_number(m mood) returns integer language sql immutable as $$select 1$$;
create cast (mood as integer) with function mood_number(mood);
create table feeling (id integer primary key, mood mood, number integer generated always as (mood_number(mood)) stored, constraint numbered check (number > 0));
create index feeling_number on feeling (number, id);
create view feelings as select id, number from feeling;
insert into feeling values (1, 'ok'), (2, null);
create procedure put(b parcel) language plpgsql as $$begin perform 1; end$$;
create table shelf (id integer primary key, box parcel);
insert into shelf values (1, '(sad,3)'), (2, null);
create type spot as (x integer, y text, z date);
create function x_of(s spot) returns integer language sql immutable as $$select s.x$$;
create table place (id integer primary key, at spot);
insert into place values (1, '(1,,2024-01-01)');
create table node (id integer primary key, made timestamp, note text);
create index node_note on node (note);
create table leaf (extra text) inherits (node);
insert into node values (1, '2024-01-01 10:00', 'a');
insert into leaf values (1, '2024-02-02 11:00', 'a', 'b'), (1, '2024-03-03 12:00', 'b', 'c'), (2, '2024-04-04 13:00', null, 'd');
create table ticket (id serial primary key, note text);
insert into ticket (note) values ('a'), ('b');
create table reading (id integer not null, at integer not null, kind text default 'x') partition by range (at);
create table reading_1 partition of reading for values from (0) to (10);
insert into reading values (1, 1, 'a'), (2, 2, 'b');
-- rows: select s.box, (select sum(number) from feelings) as f, (select at from place) as p, n.made, n.note, l.extra, t.id, r.kind from shelf s join ticket t using (id) join reading r using (id), node n left join leaf l on l.made = n.made order by 1, 2
== second
create type mood as enum ('sad', 'ok', 'new');
create domain size as integer constraint positive check (value > 1);
create type parcel as (mood mood, size size);
create function mood_number(m mood) returns integer language sql immutable as $$select 1$$;
create cast (mood as integer) with function mood_number(mood);
create table feeling (id integer primary key, mood mood, number integer generated always as (mood_number(mood)) stored, constraint numbered check (number > 0));
create index feeling_number on feeling (number, id);
create view feelings as select id, number from feeling;
insert into feeling values (1, 'ok'), (2, null);
create procedure put(b parcel) language plpgsql as $$begin perform 1; end$$;
create table shelf (id integer primary key, box parcel);
insert into shelf values (1, '(sad,3)'), (2, null);
create type spot as (x integer, z date);
create function x_of(s spot) returns integer language sql immutable as $$select s.x$$;
create table place (id integer primary key, at spot);
insert into place values (1, '(1,2024-01-01)');
create table node (id integer primary key, made date, note text);
create index node_note on node (note desc, id);
create table leaf (extra text, constraint one_each unique (extra)) inherits (node);
insert into node values (1, '2024-01-01', 'a');
insert into leaf values (1, '2024-02-02', 'a', 'b'), (1, '2024-03-03', 'b', 'c'), (2, '2024-04-04', null, 'd');
create table ticket (id numeric primary key, note text);
create sequence ticket_id_seq as integer owned by ticket.id;
alter table ticket alter id set default nextval('ticket_id_seq');
insert into ticket (note) values ('a'), ('b');
create table reading (id integer not null, at integer not null, kind text default 'x') partition by range (at);
create table reading_1 (id integer not null, at integer not null, kind text default 'x');
create unique index reading_1_kind on reading_1 (kind);
insert into reading_1 values (1, 1, 'a'), (2, 2, 'b');
create publication a_name_of_all_the_sixty_three_bytes_that_the_server_keeps_of_it for table shelf;
-- rows: select s.box, (select sum(number) from feelings) as f, (select at from place) as p, n.made, n.note, l.extra, t.id, r.kind from shelf s join ticket t using (id) join reading_1 r using (id), node n left join leaf l on l.made = n.made order by 1, 2
