== without a key
-- rows: SELECT code, note FROM entry ORDER BY 1, 2
CREATE TABLE entry (code integer NOT NULL, note text);
INSERT INTO entry VALUES (1, 'x'), (2, 'y'), (3, 'y'), (4, NULL), (5, NULL);
== with other columns
-- rows: SELECT note FROM entry ORDER BY 1
CREATE TABLE entry (note text, added date);
