== two
-- rows: SELECT id, kind FROM item ORDER BY 1
CREATE TYPE kind AS ENUM ('a', 'b');
CREATE TABLE item (id integer PRIMARY KEY, kind kind);
CREATE VIEW kinds AS SELECT DISTINCT kind FROM item;
CREATE VIEW all_kinds AS SELECT kind, 'b'::kind AS other FROM kinds;
CREATE FUNCTION said(kind) RETURNS text LANGUAGE sql AS $$SELECT $1::text$$;
INSERT INTO item VALUES (1, 'a'), (2, 'b');
== three
-- rows: SELECT id, kind FROM item ORDER BY 1
CREATE TYPE kind AS ENUM ('a', 'b', 'c');
CREATE TABLE item (id integer PRIMARY KEY, kind kind);
CREATE TABLE more (id integer, kind kind, others kind[]);
CREATE VIEW kinds AS SELECT DISTINCT kind FROM item;
CREATE VIEW all_kinds AS SELECT kind, 'b'::kind AS other FROM kinds;
CREATE FUNCTION said(kind) RETURNS text LANGUAGE sql AS $$SELECT $1::text$$;
INSERT INTO item VALUES (1, 'a'), (2, 'b');
