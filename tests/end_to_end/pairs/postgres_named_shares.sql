== short numbers
-- rows: SELECT id, place FROM reading ORDER BY 1
CREATE TABLE reading (id integer NOT NULL, place smallint NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM (0) TO (100);
CREATE INDEX reading_place ON reading (place);
ALTER INDEX reading_1_place_idx RENAME TO place_of_the_first;
INSERT INTO reading VALUES (1, 7), (2, 8);
== long numbers
-- rows: SELECT id, place FROM reading ORDER BY 1
CREATE TABLE reading (id integer NOT NULL, place integer NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM (0) TO (100);
CREATE INDEX reading_place ON reading (place);
ALTER INDEX reading_1_place_idx RENAME TO place_of_the_first;
INSERT INTO reading VALUES (1, 7), (2, 8);
