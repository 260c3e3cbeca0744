== plain below
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20);
INSERT INTO reading SELECT i, i, CASE WHEN i % 2 = 0 THEN 'x' ELSE 'y' END FROM generate_series(1, 15) AS i;
== divided below
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20) PARTITION BY LIST (kind);
CREATE TABLE reading_new_x PARTITION OF reading_new FOR VALUES IN ('x');
CREATE TABLE reading_new_rest PARTITION OF reading_new DEFAULT;
INSERT INTO reading SELECT i, i, CASE WHEN i % 2 = 0 THEN 'x' ELSE 'y' END FROM generate_series(1, 15) AS i;
