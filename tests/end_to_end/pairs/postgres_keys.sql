== by number
-- rows: SELECT id, code, size, item FROM item, reading ORDER BY 1, 4
CREATE TABLE item (id integer PRIMARY KEY, code text NOT NULL, size integer DEFAULT 1);
CREATE TABLE reading (item integer REFERENCES item (id));
INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2);
INSERT INTO reading VALUES (1), (2);
== by code
-- rows: SELECT id, code, size, item FROM item, reading ORDER BY 1, 4
CREATE TABLE item (id integer UNIQUE, code text PRIMARY KEY, size integer DEFAULT 1);
CREATE TABLE reading (item integer REFERENCES item (id));
INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2);
INSERT INTO reading VALUES (1), (2);
== by both
-- rows: SELECT id, code, size, item FROM item, reading ORDER BY 1, 4
CREATE TABLE item (id integer UNIQUE, code text, size integer DEFAULT 1, PRIMARY KEY (code, size));
CREATE TABLE reading (item integer REFERENCES item (id));
INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2);
INSERT INTO reading VALUES (1), (2);
