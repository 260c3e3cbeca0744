== as it is made
CREATE TABLE reading (id integer PRIMARY KEY);
== for some
CREATE TABLE reading (id integer PRIMARY KEY);
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pg_monitor WITH GRANT OPTION;
== for all
CREATE TABLE reading (id integer PRIMARY KEY);
GRANT ALL ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS 'readings';
