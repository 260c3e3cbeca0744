== two parts
-- rows: SELECT id, name FROM item ORDER BY 1
CREATE TYPE thing AS (id integer, name text);
CREATE TABLE item OF thing (PRIMARY KEY (id), name WITH OPTIONS DEFAULT 'x');
INSERT INTO item VALUES (1, 'a'), (2, 'b');
== three parts
-- rows: SELECT id, name FROM item ORDER BY 1
CREATE TYPE thing AS (id integer, name text, size integer);
CREATE TABLE item OF thing (PRIMARY KEY (id), size WITH OPTIONS DEFAULT 1);
INSERT INTO item VALUES (1, 'a'), (2, 'b');
== another type
-- rows: SELECT id, name FROM item ORDER BY 1
CREATE TYPE thing AS (id bigint, name varchar(40));
CREATE TABLE item OF thing (PRIMARY KEY (id));
INSERT INTO item VALUES (1, 'a'), (2, 'b');
== of no type
-- rows: SELECT id, name FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, name text);
INSERT INTO item VALUES (1, 'a'), (2, 'b');
