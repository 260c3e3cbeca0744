== nothing
-- rows: SELECT id, boss, badge FROM person ORDER BY 1
CREATE TABLE person (id integer NOT NULL, boss integer, badge text, known_by text);
INSERT INTO person VALUES (1, NULL, 'a', NULL), (2, 1, 'b', 'a');
== keys that can be deferred
-- rows: SELECT id, boss, badge FROM person ORDER BY 1
CREATE TABLE person (
  id integer CONSTRAINT person_key PRIMARY KEY DEFERRABLE,
  boss integer,
  badge text CONSTRAINT person_badge UNIQUE DEFERRABLE INITIALLY DEFERRED,
  known_by text
);
INSERT INTO person VALUES (1, NULL, 'a', NULL), (2, 1, 'b', 'a');
== foreign keys to its own keys
-- rows: SELECT id, boss, badge FROM person ORDER BY 1
CREATE TABLE person (
  id integer CONSTRAINT person_key PRIMARY KEY,
  boss integer CONSTRAINT a_boss REFERENCES person,
  badge text CONSTRAINT person_badge UNIQUE,
  known_by text CONSTRAINT z_known_by REFERENCES person (badge)
);
INSERT INTO person VALUES (1, NULL, 'a', NULL), (2, 1, 'b', 'a');
== unlogged
-- rows: SELECT id, boss, badge FROM person ORDER BY 1
CREATE UNLOGGED TABLE person (id integer CONSTRAINT person_key PRIMARY KEY, boss integer, badge text, known_by text);
CREATE UNLOGGED TABLE a_card (id integer PRIMARY KEY, person integer CONSTRAINT of_person REFERENCES person);
CREATE UNLOGGED TABLE pass (id integer PRIMARY KEY, card integer REFERENCES a_card, person integer REFERENCES person);
INSERT INTO person VALUES (1, NULL, 'a', NULL), (2, 1, 'b', 'a');
== logged
-- rows: SELECT id, boss, badge FROM person ORDER BY 1
CREATE TABLE person (id integer CONSTRAINT person_key PRIMARY KEY, boss integer, badge text, known_by text);
CREATE TABLE a_card (id integer PRIMARY KEY, person integer CONSTRAINT of_person REFERENCES person);
CREATE TABLE pass (id integer PRIMARY KEY, card integer REFERENCES a_card, person integer REFERENCES person);
INSERT INTO person VALUES (1, NULL, 'a', NULL), (2, 1, 'b', 'a');
