== of one argument
-- rows: SELECT id, title, slug, state FROM article ORDER BY 1
CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT lower(regexp_replace(t, '[^A-Za-z]+', '-', 'g'))$$;
CREATE TABLE article (id integer PRIMARY KEY, title text NOT NULL, slug text GENERATED ALWAYS AS (slug(title)) STORED,
    state varchar(10) DEFAULT slug('New'), CHECK (slug(title) <> ''), CHECK (state IN ('new', 'old')));
CREATE INDEX article_slug ON article (slug(title)) WHERE state IN ('new', 'old');
CREATE VIEW articles AS SELECT id, slug(title) AS called FROM article;
INSERT INTO article (id, title) VALUES (1, 'A b'), (2, 'C d');
== of two arguments
-- rows: SELECT id, title, slug, state FROM article ORDER BY 1
CREATE FUNCTION slug(what text, sign text DEFAULT '-') RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT lower(regexp_replace(what, '[^A-Za-z]+', sign, 'g'))$$;
CREATE TABLE article (id integer PRIMARY KEY, title text NOT NULL, slug text GENERATED ALWAYS AS (slug(title)) STORED,
    state varchar(10) DEFAULT slug('New'), CHECK (slug(title) <> ''), CHECK (state IN ('new', 'old', 'gone')));
CREATE INDEX article_slug ON article (slug(title)) WHERE state IN ('new', 'gone');
CREATE VIEW articles AS SELECT id, slug(title) AS called FROM article;
INSERT INTO article (id, title) VALUES (1, 'A b'), (2, 'C d');
== of another result
-- rows: SELECT id, title, slug, state FROM article ORDER BY 1
CREATE FUNCTION slug(t text) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$SELECT lower(regexp_replace(t, '[^A-Za-z]+', '-', 'g'))$$;
CREATE TABLE article (id integer PRIMARY KEY, title text NOT NULL, slug text GENERATED ALWAYS AS (slug(title)) STORED,
    state varchar(10) DEFAULT slug('New'), CHECK (slug(title) <> ''), CHECK (state IN ('new', 'old')));
CREATE INDEX article_slug ON article (slug(title)) WHERE state IN ('new', 'old');
CREATE VIEW articles AS SELECT id, slug(title) AS called FROM article;
INSERT INTO article (id, title) VALUES (1, 'A b'), (2, 'C d');
