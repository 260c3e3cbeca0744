== not proved, sums of integers
-- rows: SELECT id, title FROM article ORDER BY 1
CREATE TABLE article (id integer PRIMARY KEY, title text NOT NULL, state varchar(10));
ALTER TABLE article ADD CHECK (state IN ('new', 'old')) NOT VALID;
INSERT INTO article (id, title) VALUES (1, 'A b'), (2, 'C d');
CREATE FUNCTION add(state integer, v integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT state + v';
CREATE AGGREGATE total(integer) (SFUNC = add, STYPE = integer, INITCOND = '0');
CREATE VIEW v AS SELECT total(1) AS t FROM generate_series(1, 3);
== proved, sums of longer integers
-- rows: SELECT id, title FROM article ORDER BY 1
CREATE TABLE article (id integer PRIMARY KEY, title text NOT NULL, state varchar(10), CHECK (state IN ('new', 'old')));
INSERT INTO article (id, title) VALUES (1, 'A b'), (2, 'C d');
CREATE FUNCTION add(state bigint, v integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT state + v';
CREATE AGGREGATE total(integer) (SFUNC = add, STYPE = bigint, INITCOND = '0');
CREATE VIEW v AS SELECT total(1) AS t FROM generate_series(1, 3);
