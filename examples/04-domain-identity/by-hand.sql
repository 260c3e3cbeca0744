-- The same in one transaction, as a person would write it: `psql -v ON_ERROR_STOP=1 -f by-hand.sql`. Clients wait until it is done.
BEGIN;
ALTER TABLE domains DISABLE TRIGGER prevent_domains_mutation;
ALTER TABLE scopes DISABLE TRIGGER prevent_scopes_mutation;
ALTER TABLE policy_snapshots DISABLE TRIGGER prevent_policy_snapshots_mutation;
ALTER TABLE decision_events DISABLE TRIGGER prevent_decision_events_mutation;
ALTER TABLE verdict_events DISABLE TRIGGER prevent_verdict_events_mutation;
ALTER TABLE audit_timeline_entries DISABLE TRIGGER prevent_audit_timeline_mutation;

ALTER TABLE scopes ADD COLUMN domain text;
ALTER TABLE policy_snapshots ADD COLUMN domain text;
ALTER TABLE decision_events ADD COLUMN domain text;
ALTER TABLE audit_timeline_entries ADD COLUMN domain text;
UPDATE scopes AS t SET domain = d.name FROM domains AS d WHERE d.domain_id = t.domain_id;
UPDATE policy_snapshots AS t SET domain = d.name FROM domains AS d WHERE d.domain_id = t.domain_id;
UPDATE decision_events AS t SET domain = d.name FROM domains AS d WHERE d.domain_id = t.domain_id;
UPDATE audit_timeline_entries AS t SET domain = d.name FROM domains AS d WHERE d.domain_id = t.domain_id;

ALTER TABLE verdict_events DROP CONSTRAINT verdict_events_scope_id_fkey;
ALTER TABLE verdict_events ADD COLUMN scope text;
UPDATE verdict_events AS t SET domain = d.name, scope = d.name || '.' || t.scope_id
    FROM domains AS d WHERE d.domain_id = t.domain_id;
ALTER TABLE verdict_events DROP COLUMN scope_id;
ALTER TABLE verdict_events RENAME COLUMN scope TO scope_id;
ALTER TABLE scopes ALTER COLUMN scope_id DROP DEFAULT, ALTER COLUMN scope_id TYPE text USING domain || '.' || scope_id;

ALTER TABLE scopes DROP COLUMN domain_id;
ALTER TABLE policy_snapshots DROP COLUMN domain_id;
ALTER TABLE decision_events DROP COLUMN domain_id;
ALTER TABLE verdict_events DROP COLUMN domain_id;
ALTER TABLE audit_timeline_entries DROP COLUMN domain_id;
ALTER TABLE domains RENAME COLUMN name TO domain;
ALTER INDEX idx_domains_name RENAME TO idx_domains_domain;
ALTER TABLE domains DROP CONSTRAINT domains_pkey, DROP COLUMN domain_id, ADD PRIMARY KEY (organization_id, domain);

ALTER TABLE domains ADD CONSTRAINT domains_domain_slug_format CHECK (domain ~ '^[a-z0-9_-]+$');
ALTER TABLE scopes ALTER COLUMN organization_id SET NOT NULL, ALTER COLUMN domain SET NOT NULL,
    ADD CONSTRAINT scopes_domain_slug_format CHECK (domain ~ '^[a-z0-9_-]+$'),
    ADD CONSTRAINT scopes_organization_domain_fkey FOREIGN KEY (organization_id, domain) REFERENCES domains;
ALTER TABLE policy_snapshots ALTER COLUMN organization_id SET NOT NULL, ALTER COLUMN domain SET NOT NULL,
    ADD CONSTRAINT policy_snapshots_domain_slug_format CHECK (domain ~ '^[a-z0-9_-]+$'),
    ADD CONSTRAINT policy_snapshots_organization_domain_fkey FOREIGN KEY (organization_id, domain) REFERENCES domains;
ALTER TABLE decision_events ALTER COLUMN organization_id SET NOT NULL, ALTER COLUMN domain SET NOT NULL,
    ADD CONSTRAINT decision_events_domain_slug_format CHECK (domain ~ '^[a-z0-9_-]+$'),
    ADD CONSTRAINT decision_events_organization_domain_fkey FOREIGN KEY (organization_id, domain) REFERENCES domains;
ALTER TABLE verdict_events ALTER COLUMN organization_id SET NOT NULL, ALTER COLUMN domain SET NOT NULL,
    ALTER COLUMN scope_id SET NOT NULL,
    ADD CONSTRAINT verdict_events_domain_slug_format CHECK (domain ~ '^[a-z0-9_-]+$'),
    ADD CONSTRAINT verdict_events_organization_domain_fkey FOREIGN KEY (organization_id, domain) REFERENCES domains,
    ADD CONSTRAINT verdict_events_scope_id_fkey FOREIGN KEY (scope_id) REFERENCES scopes;
ALTER TABLE audit_timeline_entries ALTER COLUMN organization_id SET NOT NULL, ALTER COLUMN domain SET NOT NULL,
    ADD CONSTRAINT audit_timeline_entries_domain_slug_format CHECK (domain ~ '^[a-z0-9_-]+$'),
    ADD CONSTRAINT audit_timeline_entries_organization_domain_fkey FOREIGN KEY (organization_id, domain) REFERENCES domains;

CREATE INDEX idx_scopes_organization_domain ON scopes (organization_id, domain);
CREATE UNIQUE INDEX idx_scopes_unique ON scopes
    (organization_id, domain, (COALESCE(service, '')), (COALESCE(agent, '')), (COALESCE(environment, '')));
CREATE INDEX idx_policy_snapshots_organization_domain ON policy_snapshots (organization_id, domain);
CREATE INDEX idx_decision_events_organization_domain ON decision_events (organization_id, domain);
CREATE INDEX idx_verdict_events_organization_domain ON verdict_events (organization_id, domain);
CREATE INDEX idx_verdict_events_scope_id ON verdict_events (scope_id);
CREATE INDEX idx_audit_timeline_organization_domain ON audit_timeline_entries (organization_id, domain);

CREATE FUNCTION validate_scope_id_domain_prefix() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT starts_with(NEW.scope_id, NEW.domain || '.') THEN
        RAISE EXCEPTION 'GOVERNANCE VIOLATION: scope_id % does not begin with the domain %', NEW.scope_id, NEW.domain;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER validate_scopes_scope_id_domain_prefix BEFORE INSERT ON scopes
    FOR EACH ROW EXECUTE FUNCTION validate_scope_id_domain_prefix();
CREATE TABLE migration_log (
    migration_version integer PRIMARY KEY, migration_name text NOT NULL, executed_at timestamptz NOT NULL DEFAULT now());
INSERT INTO migration_log (migration_version, migration_name) VALUES (8, 'domain identity');

ALTER TABLE domains ENABLE TRIGGER prevent_domains_mutation;
ALTER TABLE scopes ENABLE TRIGGER prevent_scopes_mutation;
ALTER TABLE policy_snapshots ENABLE TRIGGER prevent_policy_snapshots_mutation;
ALTER TABLE decision_events ENABLE TRIGGER prevent_decision_events_mutation;
ALTER TABLE verdict_events ENABLE TRIGGER prevent_verdict_events_mutation;
ALTER TABLE audit_timeline_entries ENABLE TRIGGER prevent_audit_timeline_mutation;
COMMIT;
