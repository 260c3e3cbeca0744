== a mapping
-- rows: SELECT 1
CREATE EXTENSION postgres_fdw;
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'a');
CREATE USER MAPPING FOR PUBLIC SERVER other OPTIONS (user 'x');
CREATE FOREIGN TABLE item (id integer) SERVER other;
== another
-- rows: SELECT 1
CREATE EXTENSION postgres_fdw;
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'b', port '1');
CREATE USER MAPPING FOR PUBLIC SERVER other OPTIONS (user 'y');
CREATE USER MAPPING FOR CURRENT_USER SERVER other;
CREATE FOREIGN TABLE item (id integer) SERVER other;
