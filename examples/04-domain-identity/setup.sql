-- Who may let agents do what: organisations with domains, scopes in them, and three tables of events that nobody may change.
CREATE TYPE stage AS ENUM ('proposed', 'pre_commit', 'executed');
CREATE TYPE verdict AS ENUM ('ALLOW', 'PAUSE', 'BLOCK', 'OBSERVE');

CREATE TABLE organizations (
    organization_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT organizations_name_key UNIQUE,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE domains (
    domain_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations,
    name text NOT NULL,
    description text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_domains_name ON domains (name);

CREATE TABLE scopes (
    scope_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid REFERENCES organizations,
    domain_id uuid REFERENCES domains,
    service text,
    agent text,
    environment text,
    owning_team text,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_scopes_domain_id ON scopes (domain_id);
CREATE UNIQUE INDEX idx_scopes_unique ON scopes
    (organization_id, domain_id, (COALESCE(service, '')), (COALESCE(agent, '')), (COALESCE(environment, '')));

CREATE TABLE policy_snapshots (
    snapshot_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    version integer NOT NULL CONSTRAINT policy_snapshots_version_check CHECK (version > 0),
    policies jsonb NOT NULL,
    organization_id uuid REFERENCES organizations,
    domain_id uuid REFERENCES domains,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_policy_snapshots_domain_id ON policy_snapshots (domain_id);

CREATE TABLE decision_events (
    decision_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    intent text NOT NULL,
    stage stage NOT NULL,
    actor text NOT NULL,
    target text NOT NULL,
    context jsonb NOT NULL,
    organization_id uuid REFERENCES organizations,
    domain_id uuid,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_decision_events_domain_id ON decision_events (domain_id);
CREATE INDEX idx_decision_events_created_at ON decision_events (created_at);

CREATE TABLE verdict_events (
    verdict_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    decision_id uuid NOT NULL REFERENCES decision_events,
    snapshot_id uuid NOT NULL REFERENCES policy_snapshots,
    verdict verdict NOT NULL,
    organization_id uuid REFERENCES organizations,
    domain_id uuid,
    scope_id uuid REFERENCES scopes,
    domain text,
    owning_team text,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_verdict_events_domain_id ON verdict_events (domain_id);
CREATE INDEX idx_verdict_events_scope_id ON verdict_events (scope_id);
CREATE INDEX idx_verdict_events_decision_id ON verdict_events (decision_id);

CREATE TABLE audit_timeline_entries (
    entry_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    decision_id uuid NOT NULL REFERENCES decision_events,
    summary text NOT NULL,
    details jsonb NOT NULL,
    organization_id uuid REFERENCES organizations,
    domain_id uuid,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_audit_timeline_domain_id ON audit_timeline_entries (domain_id);
CREATE INDEX idx_audit_timeline_decision_id ON audit_timeline_entries (decision_id);

-- They came later, for new rows only: what was there before has never been looked at.
ALTER TABLE decision_events ADD CONSTRAINT decision_events_domain_id_fkey
    FOREIGN KEY (domain_id) REFERENCES domains NOT VALID;
ALTER TABLE verdict_events ADD CONSTRAINT verdict_events_domain_id_fkey
    FOREIGN KEY (domain_id) REFERENCES domains NOT VALID;
ALTER TABLE audit_timeline_entries ADD CONSTRAINT audit_timeline_entries_domain_id_fkey
    FOREIGN KEY (domain_id) REFERENCES domains NOT VALID;

CREATE FUNCTION prevent_mutation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Mutations are not allowed on append-only table %', TG_TABLE_NAME;
END $$;
CREATE TRIGGER prevent_organizations_mutation BEFORE UPDATE OR DELETE ON organizations
    FOR EACH ROW EXECUTE FUNCTION prevent_mutation();
CREATE TRIGGER prevent_domains_mutation BEFORE UPDATE OR DELETE ON domains
    FOR EACH ROW EXECUTE FUNCTION prevent_mutation();
CREATE TRIGGER prevent_scopes_mutation BEFORE UPDATE OR DELETE ON scopes
    FOR EACH ROW EXECUTE FUNCTION prevent_mutation();
CREATE TRIGGER prevent_policy_snapshots_mutation BEFORE UPDATE OR DELETE ON policy_snapshots
    FOR EACH ROW EXECUTE FUNCTION prevent_mutation();
CREATE TRIGGER prevent_decision_events_mutation BEFORE UPDATE OR DELETE ON decision_events
    FOR EACH ROW EXECUTE FUNCTION prevent_mutation();
CREATE TRIGGER prevent_verdict_events_mutation BEFORE UPDATE OR DELETE ON verdict_events
    FOR EACH ROW EXECUTE FUNCTION prevent_mutation();
CREATE TRIGGER prevent_audit_timeline_mutation BEFORE UPDATE OR DELETE ON audit_timeline_entries
    FOR EACH ROW EXECUTE FUNCTION prevent_mutation();
