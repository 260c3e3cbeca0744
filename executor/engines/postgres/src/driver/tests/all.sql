create schema auth;
comment on schema auth is 'who may';
create extension if not exists pg_trgm;
create type public.mood as enum ('sad', 'it''s ok', 'happy');
comment on type public.mood is 'how';
create type public.addr as (street text collate "C", "Zip Code" varchar(10));
create domain public.positive as integer default 1 not null constraint positive_check check (value > 0);
create type public.floatrange as range (subtype = double precision, subtype_diff = float8mi);
create collation public.german (provider = libc, locale = 'C');
create sequence public.counter as integer increment by 5 minvalue 10 start 20 cache 3 cycle;
create function public.touch() returns trigger language plpgsql as $$ begin return new; end $$;
comment on function public.touch() is 'touches';
create function public.twice(a integer, b text default 'x') returns integer language sql immutable as 'select a * 2';
create procedure auth.reset(n integer) language sql as 'select 1';
create aggregate public.total(integer) (sfunc = int4pl, stype = integer, initcond = '0');
create table auth.accounts (
  id bigint generated always as identity (start 100) primary key,
  email text collate "C" not null,
  feeling public.mood default 'happy',
  serial_no serial,
  home public.addr,
  lower_email text generated always as (lower(email)) stored,
  score integer,
  constraint accounts_email_key unique (email) include (score) deferrable initially deferred
) with (fillfactor = 70, toast.autovacuum_enabled = false);
alter table auth.accounts add constraint score_range check (score > 0) not valid;
comment on table auth.accounts is 'people';
comment on column auth.accounts.email is 'unique';
comment on constraint score_range on auth.accounts is 'range';
alter table auth.accounts alter column email set statistics 500, alter column email set (n_distinct = -0.5), alter column email set storage external;
alter table auth.accounts enable row level security;
alter table auth.accounts force row level security;
create table public."Orders" (
  id integer,
  account bigint constraint orders_account references auth.accounts on delete cascade on update restrict,
  during tsrange,
  _mig_helper text,
  constraint "Orders_pkey" primary key (id),
  constraint no_overlap exclude using gist (during with &&) where (id > 0) deferrable
);
alter table public."Orders" add constraint _mig_nn check (id is not null) not valid;
alter table public."Orders" replica identity full;
create index orders_idx on public."Orders" using btree (account desc, lower(_mig_helper) collate "C" text_pattern_ops, id nulls first) include (during) where id > 5;
select current_setting('server_version_num')::integer >= 150000 as is_15 \gset
\if :is_15
create unique index orders_unique on auth.accounts (email collate "default") nulls not distinct;
\else
create unique index orders_unique on auth.accounts (email collate "default");
\endif
create index orders_trgm on auth.accounts using gist (email gist_trgm_ops (siglen = 32)) with (fillfactor = 80);
comment on index public.orders_idx is 'fast';
create index zzz_mig_hidden on public."Orders" (id);
create table public.log (at timestamptz not null, what text, primary key (at)) partition by range (at);
create table public.log_2024 partition of public.log for values from ('2024-01-01') to ('2025-01-01');
create index log_what on public.log (what);
create table public.entry (log_at timestamptz references public.log (at));
create table public.base (a integer check (a > 0));
create table public.derived (b integer) inherits (public.base);
create unlogged table public.scratch (x integer);
create view public.rich with (security_barrier = true) as select id, email from auth.accounts where score > 10 with local check option;
comment on view public.rich is 'rich people';
create materialized view public.summary as select count(*) as n, account from public."Orders" group by account with no data;
create unique index summary_account on public.summary (account);
create trigger touched before update on auth.accounts for each row execute function public.touch();
alter table auth.accounts disable trigger touched;
create policy own on auth.accounts as restrictive for select to public using (email = current_user);
comment on policy own on auth.accounts is 'own';
create rule quiet as on delete to public.scratch do instead nothing;
create statistics public.linked (dependencies) on a, b from public.derived;
create function public.watch() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger watcher on ddl_command_end when tag in ('CREATE TABLE') execute function public.watch();
alter event trigger watcher disable;
create cast (public.addr as text) with inout;
create operator public.=== (leftarg = integer, rightarg = integer, function = int4eq);
create publication everything for table public.base;
create foreign data wrapper nothing;
create server elsewhere foreign data wrapper nothing;
create user mapping for public server elsewhere options (a 'b', password 'hush');
create text search template noop (lexize = dsimple_lexize);
create foreign table public.remote (x integer) server elsewhere;
create text search configuration public.plain (copy = pg_catalog.simple);

-- What is made later. (A mapping of a user is what mig looks not into.)
alter default privileges in schema auth grant select on tables to pg_monitor;
alter default privileges revoke execute on functions from public;
