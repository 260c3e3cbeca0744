== partitions' own
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20) PARTITION BY LIST (kind);
CREATE TABLE reading_new_x PARTITION OF reading_new FOR VALUES IN ('x');
CREATE INDEX old_by_kind ON reading_old (kind, lower(kind));
CREATE INDEX new_x_by_kind ON reading_new_x (kind, lower(kind));
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== theirs and the whole's
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20) PARTITION BY LIST (kind);
CREATE TABLE reading_new_x PARTITION OF reading_new FOR VALUES IN ('x');
CREATE INDEX reading_by_kind ON reading (kind, lower(kind));
CREATE INDEX old_by_kind ON reading_old (kind, lower(kind));
CREATE INDEX new_x_by_kind ON reading_new_x (kind, lower(kind));
COMMENT ON INDEX reading_by_kind IS 'the whole';
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== a key that is a share
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20) PARTITION BY LIST (kind);
CREATE TABLE reading_new_x PARTITION OF reading_new FOR VALUES IN ('x');
ALTER TABLE reading_old ADD CONSTRAINT old_id UNIQUE (at, kind, id);
CREATE UNIQUE INDEX reading_id ON reading (at, kind, id);
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== an index and no key
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20) PARTITION BY LIST (kind);
CREATE TABLE reading_new_x PARTITION OF reading_new FOR VALUES IN ('x');
CREATE UNIQUE INDEX reading_id ON reading (at, kind, id);
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
