== none
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20);
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== all
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20);
CREATE INDEX reading_kind ON reading (kind);
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== the parent's only
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20);
CREATE INDEX reading_kind ON ONLY reading (kind);
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== one attached
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20);
CREATE INDEX reading_kind ON ONLY reading (kind);
CREATE INDEX old_kind ON reading_old (kind);
ALTER INDEX reading_kind ATTACH PARTITION old_kind;
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== a partition's key
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20);
ALTER TABLE reading_old ADD CONSTRAINT old_id UNIQUE (at, id);
CREATE UNIQUE INDEX reading_id ON reading (at, id);
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
== under another name
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at integer NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (0) TO (10);
CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM (10) TO (20);
CREATE INDEX a_kind ON reading (kind) WHERE id > 0;
INSERT INTO reading SELECT i, i, 'x' FROM generate_series(1, 15) AS i;
