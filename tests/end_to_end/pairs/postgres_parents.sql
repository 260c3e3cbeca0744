== old parents
CREATE TABLE reading (id integer, kind text) PARTITION BY LIST (kind);
CREATE TABLE reading_1 PARTITION OF reading (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX reading_kind ON reading (kind, id);
CREATE INDEX reading_own ON reading_1 (id, kind);
CREATE TABLE place (kind text, id integer) PARTITION BY LIST (kind);
CREATE TABLE place_1 PARTITION OF place (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX place_kind ON place (kind, id);
ALTER TABLE place ADD CONSTRAINT place_reading FOREIGN KEY (kind, id) REFERENCES reading (kind, id);
ALTER TABLE reading ADD CONSTRAINT reading_place FOREIGN KEY (kind, id) REFERENCES place (kind, id) DEFERRABLE INITIALLY DEFERRED;
== new parents
CREATE TABLE measure (id integer, kind text) PARTITION BY LIST (kind);
CREATE TABLE reading_1 PARTITION OF measure (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX reading_kind ON measure (kind, id);
CREATE INDEX reading_own ON reading_1 (id, kind);
CREATE TABLE spot (kind text, id integer) PARTITION BY LIST (kind);
CREATE TABLE place_1 PARTITION OF spot (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX place_kind ON spot (kind, id);
ALTER TABLE spot ADD CONSTRAINT place_reading FOREIGN KEY (kind, id) REFERENCES measure (kind, id);
ALTER TABLE measure ADD CONSTRAINT reading_place FOREIGN KEY (kind, id) REFERENCES spot (kind, id) DEFERRABLE INITIALLY DEFERRED;
