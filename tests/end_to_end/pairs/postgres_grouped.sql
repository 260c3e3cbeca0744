== by one
-- rows: SELECT id, kind FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, kind integer NOT NULL);
CREATE VIEW counted AS SELECT id, kind, count(*) AS items FROM item GROUP BY id;
CREATE VIEW most AS SELECT max(items) AS items FROM counted;
CREATE TABLE part (id integer PRIMARY KEY, kind integer);
CREATE VIEW parts AS SELECT id, kind, count(*) AS parts FROM part GROUP BY id;
INSERT INTO part VALUES (1, 1);
INSERT INTO item VALUES (1, 1), (2, 1);
== by another name
-- rows: SELECT id, kind FROM item ORDER BY 1
CREATE TABLE item (id integer CONSTRAINT item_id PRIMARY KEY, kind integer NOT NULL);
CREATE VIEW counted AS SELECT id, kind, count(*) AS items FROM item GROUP BY id;
CREATE VIEW most AS SELECT max(items) AS items FROM counted;
CREATE TABLE part (id bigint PRIMARY KEY, kind integer);
CREATE VIEW parts AS SELECT id, kind, count(*) AS parts FROM part GROUP BY id;
INSERT INTO part VALUES (1, 1);
INSERT INTO item VALUES (1, 1), (2, 1);
== by two
-- rows: SELECT id, kind FROM item ORDER BY 1
CREATE TABLE item (id integer, kind integer, PRIMARY KEY (id, kind));
CREATE VIEW counted AS SELECT id, kind, count(*) AS items FROM item GROUP BY id, kind;
CREATE VIEW most AS SELECT max(items) AS items FROM counted;
CREATE TABLE part (id integer PRIMARY KEY, kind integer);
CREATE VIEW parts AS SELECT id, kind, count(*) AS parts FROM part GROUP BY id;
INSERT INTO part VALUES (1, 1);
INSERT INTO item VALUES (1, 1), (2, 1);
