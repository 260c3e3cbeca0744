== plain
-- rows: SELECT id, short, word FROM label ORDER BY 1
CREATE DOMAIN short AS text;
CREATE DOMAIN word AS short CONSTRAINT not_empty CHECK (VALUE <> '');
CREATE TABLE label (id integer PRIMARY KEY, short short, word word, words short[]);
INSERT INTO label VALUES (1, 'a', 'b', '{c}');
== with defaults, collations and ranges
-- rows: SELECT id, short, word FROM label ORDER BY 1
CREATE COLLATION by_number (provider = icu, locale = 'en-u-kn-true');
CREATE DOMAIN short AS text COLLATE by_number DEFAULT 'x' CONSTRAINT is_short CHECK (length(VALUE) < 10);
CREATE DOMAIN word AS short CONSTRAINT not_empty CHECK (VALUE <> '-');
ALTER DOMAIN word DROP DEFAULT;
CREATE TYPE span AS RANGE (subtype = bigint, multirange_type_name = spans);
CREATE TYPE time_range AS RANGE (subtype = time);
CREATE TABLE label (id integer PRIMARY KEY, short short, word word, words short[], code text COLLATE by_number, places spans, hours time_multirange);
INSERT INTO label VALUES (1, 'a', 'b', '{c}');
== with the default of the other
-- rows: SELECT id, short, word FROM label ORDER BY 1
CREATE DOMAIN short AS text DEFAULT 'x';
CREATE DOMAIN word AS short CONSTRAINT not_empty CHECK (VALUE <> '');
CREATE COLLATION by_number (provider = icu, locale = 'en-u-kn-true');
CREATE DOMAIN code AS text COLLATE by_number;
CREATE TABLE label (id integer PRIMARY KEY, short short, word word, words short[], code code);
INSERT INTO label VALUES (1, 'a', 'b', '{c}');
