== over floats
-- rows: SELECT id, span, mails FROM reading ORDER BY 1
CREATE TYPE span AS RANGE (SUBTYPE = double precision);
CREATE DOMAIN mail AS text CHECK (VALUE ~ '@');
CREATE TABLE reading (id integer PRIMARY KEY, a integer, b integer, span span DEFAULT '[1,2)', mails mail[]);
CREATE INDEX reading_span ON reading USING gist (span);
CREATE STATISTICS reading_ab (ndistinct) ON a, b FROM reading;
ALTER STATISTICS reading_ab SET STATISTICS 500;
CREATE VIEW readings AS SELECT id, span, mails FROM reading;
INSERT INTO reading VALUES (1, 1, 2, DEFAULT, '{a@b}'), (2, 1, 2, '[3,4]', NULL);
== over numbers
-- rows: SELECT id, span, mails FROM reading ORDER BY 1
CREATE TYPE span AS RANGE (SUBTYPE = numeric);
CREATE DOMAIN mail AS text CHECK (VALUE ~ '@') CHECK (length(VALUE) < 20);
CREATE TABLE reading (id integer PRIMARY KEY, a bigint, b integer, span span DEFAULT '[1,2)', mails mail[]);
CREATE INDEX reading_span ON reading USING gist (span);
CREATE STATISTICS reading_ab (ndistinct) ON a, b FROM reading;
ALTER STATISTICS reading_ab SET STATISTICS 500;
CREATE VIEW readings AS SELECT id, span, mails FROM reading;
INSERT INTO reading VALUES (1, 1, 2, DEFAULT, '{a@b}'), (2, 1, 2, '[3,4]', NULL);
