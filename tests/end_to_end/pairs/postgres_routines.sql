== one name
-- rows: SELECT id, size FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, size integer);
CREATE FUNCTION worth(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x';
CREATE INDEX item_worth ON item (worth(size));
INSERT INTO item VALUES (1, 1), (2, 2);
== another type
-- rows: SELECT id, size FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, size integer);
CREATE FUNCTION worth(x integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT x::bigint';
CREATE INDEX item_worth ON item (worth(size));
INSERT INTO item VALUES (1, 1), (2, 2);
== another argument
-- rows: SELECT id, size FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, size integer);
CREATE FUNCTION worth(size_of integer, OUT is_large boolean) LANGUAGE sql IMMUTABLE AS 'SELECT size_of > 1';
INSERT INTO item VALUES (1, 1), (2, 2);
== a procedure
-- rows: SELECT id, size FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, size integer);
CREATE PROCEDURE worth(x integer) LANGUAGE sql AS 'SELECT x';
INSERT INTO item VALUES (1, 1), (2, 2);
