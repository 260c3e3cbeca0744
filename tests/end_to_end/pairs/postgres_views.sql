== bare
-- rows: SELECT id, name, size FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, name text, size integer DEFAULT 1);
CREATE VIEW small AS SELECT id, name FROM item WHERE size < 10;
CREATE MATERIALIZED VIEW counted AS SELECT name, count(*) AS items FROM item GROUP BY name;
INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2);
== said
-- rows: SELECT id, name, size FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, name text, size integer DEFAULT 1);
CREATE VIEW small WITH (security_barrier = true) AS SELECT id, name FROM item WHERE size < 10;
COMMENT ON VIEW small IS 'the small ones';
COMMENT ON COLUMN small.name IS 'as it is called';
ALTER VIEW small ALTER COLUMN name SET DEFAULT 'new';
CREATE MATERIALIZED VIEW counted WITH (fillfactor = 70) AS SELECT name, count(*) AS items FROM item GROUP BY name;
COMMENT ON COLUMN counted.items IS 'how many';
INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2);
== said of another
-- rows: SELECT id, name, size FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, name varchar(40), size integer DEFAULT 1);
CREATE VIEW small AS SELECT id, upper(name) AS name, size FROM item WHERE size < 10;
COMMENT ON COLUMN small.name IS 'in capitals';
COMMENT ON COLUMN small.size IS 'in metres';
ALTER VIEW small ALTER COLUMN size SET DEFAULT 7;
CREATE MATERIALIZED VIEW counted AS SELECT name, count(*) AS items FROM item GROUP BY name;
COMMENT ON COLUMN counted.items IS 'how many there are';
INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2);
