-- Row by row, after somebody has looked at each.
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id(what text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5(what || n)::uuid $$;
UPDATE domains SET name = 'risk' WHERE domain_id = pg_temp.id('domain', 16);
DELETE FROM domains WHERE domain_id = pg_temp.id('twin', 1);
UPDATE scopes SET domain_id = pg_temp.id('domain', 2) WHERE scope_id = pg_temp.id('scope', 2);
UPDATE scopes SET organization_id = pg_temp.id('organization', 4) WHERE scope_id = pg_temp.id('scope', 11);
UPDATE decision_events SET organization_id = pg_temp.id('organization', 4) WHERE decision_id = pg_temp.id('decision', 3);
UPDATE decision_events SET domain_id = pg_temp.id('domain', 7) WHERE decision_id = pg_temp.id('decision', 7);
UPDATE decision_events SET domain_id = pg_temp.id('domain', 9) WHERE decision_id = pg_temp.id('decision', 9);
UPDATE verdict_events SET domain = 'finance' WHERE verdict_id = pg_temp.id('verdict', 0);
UPDATE verdict_events SET scope_id = pg_temp.id('scope', 1) WHERE verdict_id = pg_temp.id('verdict', 1);
UPDATE verdict_events SET scope_id = pg_temp.id('scope', 4) WHERE verdict_id = pg_temp.id('verdict', 4);
UPDATE audit_timeline_entries SET organization_id = pg_temp.id('organization', 3) WHERE entry_id = pg_temp.id('entry', 6);
UPDATE audit_timeline_entries SET domain_id = pg_temp.id('domain', 8) WHERE entry_id = pg_temp.id('entry', 8);
