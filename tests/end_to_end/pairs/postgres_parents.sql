== old parents
CREATE TABLE reading (id integer, kind text) PARTITION BY LIST (kind);
CREATE TABLE reading_1 PARTITION OF reading (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX reading_kind ON reading (kind);
CREATE INDEX reading_own ON reading_1 (id, kind);
CREATE TABLE place (kind text, id integer) PARTITION BY LIST (kind);
CREATE TABLE place_1 PARTITION OF place (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX place_kind ON place (kind);
ALTER TABLE place ADD CONSTRAINT place_reading FOREIGN KEY (kind) REFERENCES reading (kind);
ALTER TABLE reading ADD CONSTRAINT reading_place FOREIGN KEY (kind) REFERENCES place (kind) DEFERRABLE INITIALLY DEFERRED;
== new parents
CREATE TABLE measure (id integer, kind text) PARTITION BY LIST (kind);
CREATE TABLE reading_1 PARTITION OF measure (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX reading_kind ON measure (kind);
CREATE INDEX reading_own ON reading_1 (id, kind);
CREATE TABLE spot (kind text, id integer) PARTITION BY LIST (kind);
CREATE TABLE place_1 PARTITION OF spot (PRIMARY KEY (kind, id)) FOR VALUES IN ('a');
CREATE UNIQUE INDEX place_kind ON spot (kind);
ALTER TABLE spot ADD CONSTRAINT place_reading FOREIGN KEY (kind) REFERENCES measure (kind);
ALTER TABLE measure ADD CONSTRAINT reading_place FOREIGN KEY (kind) REFERENCES spot (kind) DEFERRABLE INITIALLY DEFERRED;
