== plain
-- rows: SELECT room, at, guest, nights, half FROM stay ORDER BY room, at
CREATE EXTENSION btree_gist;
CREATE TABLE stay (room integer NOT NULL, at daterange NOT NULL, guest text, nights integer, half integer GENERATED ALWAYS AS (room / 2) STORED);
CREATE TABLE bill (id integer PRIMARY KEY, room integer, at daterange, sum integer);
CREATE TABLE part (kind integer, span int4range) PARTITION BY LIST (kind);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a * 2';
INSERT INTO stay VALUES (1, '[2024-01-01,2024-01-05)', 'a', 4), (1, '[2024-01-05,2024-02-01)', 'b', 27), (2, '[2024-01-01,2024-02-01)', NULL, 31);
INSERT INTO bill VALUES (1, 1, '[2024-01-02,2024-01-10)', 7), (2, 2, '[2024-01-02,2024-01-10)', 9);
INSERT INTO part VALUES (1, '[1,2)');
== fourteen
-- version: 14
-- rows: SELECT room, at, guest, nights, half FROM stay ORDER BY room, at
CREATE EXTENSION btree_gist;
CREATE TABLE stay (room integer NOT NULL, at daterange NOT NULL, guest text COMPRESSION pglz, nights integer, half integer GENERATED ALWAYS AS (room / 2) STORED);
CREATE STATISTICS stay_guests ON lower(guest), room FROM stay;
CREATE TABLE bill (id integer PRIMARY KEY, room integer, at daterange, sum integer, often datemultirange);
CREATE TABLE part (kind integer, span int4range) PARTITION BY LIST (kind);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TYPE wide AS RANGE (SUBTYPE = float8, MULTIRANGE_TYPE_NAME = wides);
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT a * 2; END;
CREATE PROCEDURE twice(a integer, OUT b integer) LANGUAGE sql AS 'SELECT a * 2';
INSERT INTO stay VALUES (1, '[2024-01-01,2024-01-05)', 'a', 4), (1, '[2024-01-05,2024-02-01)', 'b', 27), (2, '[2024-01-01,2024-02-01)', NULL, 31);
INSERT INTO bill VALUES (1, 1, '[2024-01-02,2024-01-10)', 7), (2, 2, '[2024-01-02,2024-01-10)', 9);
INSERT INTO part VALUES (1, '[1,2)');
== seventeen
-- version: 17
-- rows: SELECT room, at, guest, nights, half FROM stay ORDER BY room, at
CREATE EXTENSION btree_gist;
CREATE TABLE stay (room integer NOT NULL, at daterange NOT NULL, guest text, nights integer, half integer GENERATED ALWAYS AS (room / 2 + 1) STORED);
GRANT MAINTAIN ON stay TO pg_monitor;
CREATE TABLE bill (id integer PRIMARY KEY, room integer, at daterange, sum integer);
CREATE TABLE part (kind integer, span int4range, EXCLUDE USING gist (kind WITH =, span WITH &&)) PARTITION BY LIST (kind);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a * 2';
INSERT INTO stay VALUES (1, '[2024-01-01,2024-01-05)', 'a', 4), (1, '[2024-01-05,2024-02-01)', 'b', 27), (2, '[2024-01-01,2024-02-01)', NULL, 31);
INSERT INTO bill VALUES (1, 1, '[2024-01-02,2024-01-10)', 7), (2, 2, '[2024-01-02,2024-01-10)', 9);
INSERT INTO part VALUES (1, '[1,2)');
== eighteen
-- version: 18
-- rows: SELECT room, at, guest, nights, half FROM stay ORDER BY room, at
CREATE EXTENSION btree_gist;
CREATE TABLE stay (room integer NOT NULL, at daterange NOT NULL, guest text, nights integer, half integer GENERATED ALWAYS AS (room / 2) STORED,
  loud text GENERATED ALWAYS AS (upper(guest)), CONSTRAINT long CHECK (nights > 100) NOT ENFORCED, CONSTRAINT stay_key PRIMARY KEY (room, at WITHOUT OVERLAPS));
CREATE TABLE bill (id integer PRIMARY KEY, room integer, at daterange, sum integer, token uuid DEFAULT uuidv7(),
  CONSTRAINT bill_stay FOREIGN KEY (room, PERIOD at) REFERENCES stay (room, PERIOD at), CONSTRAINT loose FOREIGN KEY (sum) REFERENCES bill (id) NOT ENFORCED);
CREATE TABLE part (kind integer, span int4range) PARTITION BY LIST (kind);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a * 2';
INSERT INTO stay VALUES (1, '[2024-01-01,2024-01-05)', 'a', 4), (1, '[2024-01-05,2024-02-01)', 'b', 27), (2, '[2024-01-01,2024-02-01)', NULL, 31);
INSERT INTO bill VALUES (1, 1, '[2024-01-02,2024-01-10)', 7), (2, 2, '[2024-01-02,2024-01-10)', 9);
INSERT INTO part VALUES (1, '[1,2)');
== eighteen otherwise
-- version: 18
-- rows: SELECT room, at, guest, nights, half FROM stay ORDER BY room, at
CREATE EXTENSION btree_gist;
CREATE TABLE stay (room integer NOT NULL, at daterange NOT NULL, guest text, nights integer, half integer GENERATED ALWAYS AS (room / 2),
  loud text GENERATED ALWAYS AS (lower(guest)), CONSTRAINT long CHECK (nights > 1), CONSTRAINT stay_key UNIQUE (at, room));
CREATE TABLE bill (id integer PRIMARY KEY, room integer, at daterange, sum integer, token uuid DEFAULT gen_random_uuid());
CREATE TABLE part (kind integer, span int4range) PARTITION BY LIST (kind);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a * 2';
INSERT INTO stay VALUES (1, '[2024-01-01,2024-01-05)', 'a', 4), (1, '[2024-01-05,2024-02-01)', 'b', 27), (2, '[2024-01-01,2024-02-01)', NULL, 31);
INSERT INTO bill VALUES (1, 1, '[2024-01-02,2024-01-10)', 7), (2, 2, '[2024-01-02,2024-01-10)', 9);
INSERT INTO part VALUES (1, '[1,2)');
