== computed
-- rows: SELECT code, twice, note FROM entry ORDER BY 1, 2
CREATE TABLE entry (code integer NOT NULL, twice integer GENERATED ALWAYS AS (code * 2) STORED, note text);
CREATE INDEX entry_twice ON entry (twice);
INSERT INTO entry (code, note) VALUES (1, 'x'), (2, 'y');
== computed once
-- rows: SELECT code, twice, note FROM entry ORDER BY 1, 2
CREATE TABLE entry (code integer NOT NULL, twice integer, note text);
CREATE INDEX entry_twice ON entry (twice);
INSERT INTO entry VALUES (1, 2, 'x'), (2, 4, 'y');
