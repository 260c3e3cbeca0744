== narrow
-- rows: SELECT id, who::text, was::text, kind::text, note FROM customer ORDER BY 1
CREATE TYPE kind AS ENUM ('new', 'old');
CREATE TYPE place AS (street text, zip integer);
CREATE TYPE person AS (name text, home place, former place[], kind kind);
CREATE DOMAIN code AS text CONSTRAINT code_long CHECK (length(value) > 1);
CREATE TABLE customer (id integer PRIMARY KEY, who person, was place[], kind kind DEFAULT 'old', note integer, code code);
CREATE FUNCTION street(of person) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ((of).home).street';
CREATE POLICY own ON customer USING (id > 0);
INSERT INTO customer VALUES (1, ROW('a', ROW('b', 1)::place, ARRAY[ROW('c', 2)::place], 'new'), ARRAY[ROW('d', 3)::place], 'new', 1, 'xx');
== wide
-- rows: SELECT id, who::text, was::text, kind::text, note FROM customer ORDER BY 1
CREATE TYPE kind AS ENUM ('next', 'new');
CREATE TYPE place AS (street text, zip bigint);
COMMENT ON COLUMN place.zip IS 'where the customers table has it from';
CREATE TYPE person AS (name text, home place, former place[], kind kind);
CREATE DOMAIN code AS text CONSTRAINT code_long CHECK (length(value) > 1);
COMMENT ON CONSTRAINT code_long ON DOMAIN code IS 'short ones are taken';
CREATE TABLE customer (id bigint PRIMARY KEY, who person, was place[], kind kind DEFAULT 'next', note bigint, code code);
COMMENT ON COLUMN customer.note IS 'how many';
CREATE FUNCTION street(of person) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ((of).home).street';
CREATE POLICY own ON customer USING (id > 0 AND note > 0);
INSERT INTO customer VALUES (1, ROW('a', ROW('b', 1)::place, ARRAY[ROW('c', 2)::place], 'new'), ARRAY[ROW('d', 3)::place], 'new', 1, 'xx');
== said otherwise
-- rows: SELECT id, who::text, was::text, kind::text, note FROM customer ORDER BY 1
CREATE TYPE kind AS ENUM ('next', 'new');
CREATE TYPE place AS (street text, zip bigint);
COMMENT ON COLUMN place.street IS 'it''s with a number';
CREATE TYPE person AS (name text, home place, former place[], kind kind);
CREATE DOMAIN code AS text CONSTRAINT code_long CHECK (length(value) > 0);
COMMENT ON CONSTRAINT code_long ON DOMAIN code IS 'none is empty';
CREATE TABLE customer (id bigint PRIMARY KEY, who person, was place[], kind kind DEFAULT 'new', note integer, code code);
COMMENT ON COLUMN customer.note IS 'how many there are';
CREATE FUNCTION street(of person) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ((of).home).street';
CREATE POLICY own ON customer FOR SELECT USING (note > 0);
INSERT INTO customer VALUES (1, ROW('a', ROW('b', 1)::place, ARRAY[ROW('c', 2)::place], 'new'), ARRAY[ROW('d', 3)::place], 'new', 1, 'xx');
