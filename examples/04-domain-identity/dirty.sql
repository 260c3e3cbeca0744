-- What years of hand work leave behind, in what `generate.sql` has made. The guards and foreign keys did not always exist.
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id(what text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5(what || n)::uuid $$;

-- Bad slugs, and one slug twice in an organisation.
UPDATE domains SET name = 'Finance Ops' WHERE domain_id = pg_temp.id('domain', 16);
INSERT INTO domains (domain_id, organization_id, name) VALUES
    (pg_temp.id('twin', 1), pg_temp.id('organization', 2), 'finance');
-- Missing values.
UPDATE scopes SET domain_id = NULL WHERE scope_id = pg_temp.id('scope', 2);
UPDATE decision_events SET organization_id = NULL WHERE decision_id = pg_temp.id('decision', 3);
UPDATE verdict_events SET scope_id = NULL WHERE verdict_id = pg_temp.id('verdict', 4);
UPDATE audit_timeline_entries SET organization_id = NULL WHERE entry_id = pg_temp.id('entry', 6);
-- Orphans.
UPDATE decision_events SET domain_id = pg_temp.id('nothing', 1)
    WHERE decision_id IN (pg_temp.id('decision', 7), pg_temp.id('decision', 9));
UPDATE audit_timeline_entries SET domain_id = pg_temp.id('nothing', 1) WHERE entry_id = pg_temp.id('entry', 8);
-- A verdict that says another domain than it leads to, one in a scope of another domain, and a scope in another organisation.
UPDATE verdict_events SET domain = 'logistics' WHERE verdict_id = pg_temp.id('verdict', 0);
UPDATE verdict_events SET scope_id = pg_temp.id('scope', 5) WHERE verdict_id = pg_temp.id('verdict', 1);
UPDATE scopes SET organization_id = pg_temp.id('organization', 1) WHERE scope_id = pg_temp.id('scope', 11);
