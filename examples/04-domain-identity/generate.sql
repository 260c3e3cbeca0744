-- Data by a size: `psql -v events=3000000 -f generate.sql`. A third each of decisions, verdicts and entries of the timeline; the same
-- rows each time.
SELECT greatest(:events / 3, 12) AS each \gset

CREATE FUNCTION pg_temp.id(what text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5(what || n)::uuid $$;

INSERT INTO organizations (organization_id, name, created_at)
    SELECT pg_temp.id('organization', n), 'organisation ' || n, '2026-01-01'
    FROM generate_series(1, 4) AS n;
INSERT INTO domains (domain_id, organization_id, name, created_at)
    SELECT pg_temp.id('domain', n), pg_temp.id('organization', 1 + n % 4),
        (ARRAY['finance', 'logistics', 'people_ops', 'customer-care', 'risk'])[1 + n / 4], '2026-01-02'
    FROM generate_series(0, 19) AS n;
INSERT INTO scopes (scope_id, organization_id, domain_id, service, agent, environment, owning_team, created_at)
    SELECT pg_temp.id('scope', n), pg_temp.id('organization', 1 + n % 20 % 4), pg_temp.id('domain', n % 20),
        'service ' || n / 20, 'agent ' || n, (ARRAY['prod', 'test'])[1 + n % 2], 'team ' || n % 7, '2026-01-03'
    FROM generate_series(0, greatest(19, least(9999, :each / 20))) AS n;
INSERT INTO policy_snapshots (snapshot_id, version, policies, organization_id, domain_id, created_at)
    SELECT pg_temp.id('snapshot', n), 1 + n / 20, '[{"rule": "ask first"}]', pg_temp.id('organization', 1 + n % 20 % 4),
        pg_temp.id('domain', n % 20), '2026-01-04'
    FROM generate_series(0, greatest(19, least(9999, :each / 20))) AS n;
INSERT INTO decision_events (decision_id, intent, stage, actor, target, context, organization_id, domain_id, created_at)
    SELECT pg_temp.id('decision', n), 'intent ' || n % 50, (ARRAY['proposed', 'pre_commit', 'executed'])[1 + n % 3]::stage,
        'agent ' || n % 1000, 'target ' || n % 300, jsonb_build_object('amount', n % 10000, 'currency', 'EUR'),
        pg_temp.id('organization', 1 + n % 20 % 4), pg_temp.id('domain', n % 20),
        timestamptz '2026-02-01' + n * interval '1 second'
    FROM generate_series(0, :each - 1) AS n;
INSERT INTO verdict_events
    (verdict_id, decision_id, snapshot_id, verdict, organization_id, domain_id, scope_id, domain, owning_team, created_at)
    SELECT pg_temp.id('verdict', n), pg_temp.id('decision', n), pg_temp.id('snapshot', n % 20),
        (ARRAY['ALLOW', 'PAUSE', 'BLOCK', 'OBSERVE'])[1 + n % 4]::verdict, pg_temp.id('organization', 1 + n % 20 % 4),
        pg_temp.id('domain', n % 20), pg_temp.id('scope', n % 20),
        CASE WHEN n % 2 = 0 THEN (ARRAY['finance', 'logistics', 'people_ops', 'customer-care', 'risk'])[1 + n % 20 / 4] END,
        'team ' || n % 7, timestamptz '2026-02-01' + n * interval '1 second'
    FROM generate_series(0, :each - 1) AS n;
INSERT INTO audit_timeline_entries (entry_id, decision_id, summary, details, organization_id, domain_id, created_at)
    SELECT pg_temp.id('entry', n), pg_temp.id('decision', n), 'decision ' || n || ' was taken', '{"authority": "agent"}',
        pg_temp.id('organization', 1 + n % 20 % 4), pg_temp.id('domain', n % 20),
        timestamptz '2026-02-01' + n * interval '1 second'
    FROM generate_series(0, :each - 1) AS n;
ANALYZE;
