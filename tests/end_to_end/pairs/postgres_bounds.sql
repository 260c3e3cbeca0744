== halves
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at date NOT NULL, kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE reading_2 PARTITION OF reading FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
CREATE TABLE reading_rest PARTITION OF reading DEFAULT;
CREATE VIEW readings AS SELECT kind, count(*) AS many FROM reading GROUP BY kind;
INSERT INTO reading VALUES (1, '2024-02-01', 'a'), (2, '2024-06-15', 'b'), (3, '2024-11-01', 'c'), (4, '2030-01-01', 'd');
== exchanged
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at date NOT NULL, kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE reading_2 PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
CREATE TABLE reading_rest PARTITION OF reading DEFAULT;
CREATE VIEW readings AS SELECT kind, count(*) AS many FROM reading GROUP BY kind;
INSERT INTO reading VALUES (1, '2024-02-01', 'a'), (3, '2024-11-01', 'c');
== split at another day
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at date NOT NULL, kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO ('2024-06-01');
CREATE TABLE reading_2 PARTITION OF reading FOR VALUES FROM ('2024-06-01') TO ('2024-10-01');
CREATE TABLE reading_3 PARTITION OF reading FOR VALUES FROM ('2024-10-01') TO ('2025-01-01');
CREATE TABLE reading_rest PARTITION OF reading DEFAULT;
CREATE VIEW readings AS SELECT kind, count(*) AS many FROM reading GROUP BY kind;
INSERT INTO reading VALUES (1, '2024-02-01', 'a'), (2, '2024-06-15', 'b'), (3, '2024-11-01', 'c'), (4, '2023-01-01', 'd');
== a key of another type
-- rows: SELECT id, at, kind FROM reading ORDER BY 1
CREATE TABLE reading (id integer, at timestamp NOT NULL, kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE reading_2 PARTITION OF reading FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
CREATE TABLE reading_rest PARTITION OF reading DEFAULT;
CREATE VIEW readings AS SELECT kind, count(*) AS many FROM reading GROUP BY kind;
INSERT INTO reading VALUES (1, '2024-02-01', 'a'), (3, '2024-11-01', 'c');
