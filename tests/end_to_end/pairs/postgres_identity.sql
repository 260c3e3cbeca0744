== by the key
-- rows: SELECT id, code, kind FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, code integer NOT NULL, kind integer NOT NULL);
CREATE UNIQUE INDEX item_code ON item (code);
CREATE UNIQUE INDEX item_kind ON item (kind, code);
ALTER TABLE item REPLICA IDENTITY USING INDEX item_pkey;
ALTER TABLE item CLUSTER ON item_pkey;
INSERT INTO item VALUES (1, 10, 5), (2, 20, 5);
== by an index
-- rows: SELECT id, code, kind FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, code integer NOT NULL, kind integer NOT NULL);
CREATE UNIQUE INDEX item_code ON item (code);
CREATE UNIQUE INDEX item_kind ON item (kind, code);
ALTER TABLE item REPLICA IDENTITY USING INDEX item_code;
ALTER TABLE item CLUSTER ON item_kind;
INSERT INTO item VALUES (1, 10, 5), (2, 20, 5);
== by another index
-- rows: SELECT id, code, kind FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, code integer NOT NULL, kind integer NOT NULL);
CREATE UNIQUE INDEX item_kind ON item (kind, code);
ALTER TABLE item REPLICA IDENTITY USING INDEX item_kind;
INSERT INTO item VALUES (1, 10, 5), (2, 20, 5);
== by the row
-- rows: SELECT id, code, kind FROM item ORDER BY 1
CREATE TABLE item (id integer PRIMARY KEY, code integer NOT NULL, kind integer NOT NULL);
CREATE UNIQUE INDEX item_code ON item (code);
ALTER TABLE item REPLICA IDENTITY FULL;
INSERT INTO item VALUES (1, 10, 5), (2, 20, 5);
