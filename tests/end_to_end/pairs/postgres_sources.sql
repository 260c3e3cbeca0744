== narrow
-- rows: SELECT id, note FROM entry ORDER BY 1
CREATE TABLE entry (id integer PRIMARY KEY, code integer, twice integer GENERATED ALWAYS AS (code * 2) STORED, note text);
CREATE INDEX entry_twice ON entry (twice);
CREATE VIEW doubled AS SELECT id, twice FROM entry;
INSERT INTO entry (id, code, note) VALUES (1, 1, 'x'), (2, 2, 'y');
== wide
-- rows: SELECT id, note FROM entry ORDER BY 1
CREATE TABLE entry (id integer PRIMARY KEY, code bigint, twice bigint GENERATED ALWAYS AS (code * 2) STORED, note text);
CREATE INDEX entry_twice ON entry (twice);
CREATE VIEW doubled AS SELECT id, twice FROM entry;
INSERT INTO entry (id, code, note) VALUES (1, 1, 'x'), (2, 2, 'y');
== of another
-- rows: SELECT id, note FROM entry ORDER BY 1
CREATE TABLE entry (id integer PRIMARY KEY, number integer DEFAULT 3, twice integer GENERATED ALWAYS AS (number * 2) STORED, note text);
CREATE INDEX entry_twice ON entry (twice);
CREATE VIEW doubled AS SELECT id, twice FROM entry;
INSERT INTO entry (id, number, note) VALUES (1, 1, 'x'), (2, 2, 'y');
== neither
-- rows: SELECT id, note FROM entry ORDER BY 1
CREATE TABLE entry (id integer PRIMARY KEY, note text);
INSERT INTO entry VALUES (1, 'x'), (2, 'y');
