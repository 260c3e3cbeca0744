What comes and goes in an order that its names alone do not tell: routines that call each other, an index of a partitioned table alone, an
attribute that is called as a table is.

== nothing
CREATE TABLE t (id integer PRIMARY KEY);
INSERT INTO t VALUES (1), (2);
-- rows: SELECT id FROM t ORDER BY id
== circles
CREATE TABLE t (id integer PRIMARY KEY);
SET check_function_bodies = off;
CREATE FUNCTION f(i integer) RETURNS integer LANGUAGE sql AS $$SELECT CASE WHEN i > 0 THEN g(i - 1) ELSE 0 END$$;
CREATE FUNCTION g(i integer) RETURNS integer LANGUAGE sql AS $$SELECT CASE WHEN i > 0 THEN f(i - 1) ELSE 0 END$$;
CREATE VIEW v AS SELECT f(id) FROM t;
INSERT INTO t VALUES (1), (2);
-- rows: SELECT f FROM v ORDER BY f
-- arrives: SELECT f FROM v ORDER BY f
== a longer one
CREATE TABLE t (id integer PRIMARY KEY);
SET check_function_bodies = off;
CREATE FUNCTION f(i bigint) RETURNS bigint LANGUAGE sql AS $$SELECT CASE WHEN i > 1 THEN g(i - 1) ELSE 0::bigint END$$;
CREATE FUNCTION g(i bigint) RETURNS bigint LANGUAGE sql AS $$SELECT CASE WHEN i > 1 THEN h(i - 1) ELSE 0::bigint END$$;
CREATE FUNCTION h(i bigint) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN f(i); END$$;
CREATE VIEW v AS SELECT f(id) FROM t;
INSERT INTO t VALUES (1), (2);
-- rows: SELECT f FROM v ORDER BY f
== a parsed one
-- version: 14
CREATE TABLE t (id integer PRIMARY KEY);
CREATE FUNCTION g(i integer) RETURNS integer LANGUAGE sql AS $$SELECT 1$$;
CREATE FUNCTION f(i integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT g(i); END;
CREATE OR REPLACE FUNCTION g(i integer) RETURNS integer LANGUAGE sql AS $$SELECT CASE WHEN i > 1 THEN f(i - 1) ELSE 0 END$$;
INSERT INTO t VALUES (1), (2);
-- rows: SELECT id FROM t ORDER BY id
== alone
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TABLE p (id integer NOT NULL, k integer NOT NULL, v integer) PARTITION BY RANGE (k);
CREATE TABLE p0 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (10) TO (20);
CREATE INDEX px ON ONLY p (v);
CREATE INDEX p0x ON p0 (v);
ALTER INDEX px ATTACH PARTITION p0x;
CREATE TYPE pair AS (a integer, t date);
CREATE TABLE c (id integer PRIMARY KEY, v pair);
CREATE TYPE whole AS (t public.t, c date);
INSERT INTO p VALUES (1, 1, 1), (2, 11, 2);
INSERT INTO c VALUES (1, (1, '2024-01-01'));
-- rows: SELECT id, k, v FROM p ORDER BY id
== nothing again
CREATE TABLE t (id integer PRIMARY KEY);
