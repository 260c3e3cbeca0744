CREATE TABLE awards (id text NOT NULL PRIMARY KEY, tender text NOT NULL);
CREATE TABLE conversations (
    id text NOT NULL PRIMARY KEY, key text, title text, state text NOT NULL, created_at text NOT NULL);
CREATE TABLE messages (
    id text NOT NULL PRIMARY KEY, conversation_id text NOT NULL, channel text, body text NOT NULL, state text NOT NULL,
    created_at text NOT NULL);
CREATE TABLE whatsapp_messages (id text NOT NULL PRIMARY KEY, award_id text, body text NOT NULL, sent_at text NOT NULL);
INSERT INTO awards VALUES ('a1', 'bridge'), ('a2', 'tunnel'), ('a3', 'ferry');
INSERT INTO conversations VALUES
    ('c1', 'award_a1', 'Offer for the bridge', 'streaming', '2026-01-05'),
    ('c2', 'help', NULL, 'done', '2026-01-06');
INSERT INTO messages VALUES
    ('m1', 'c1', NULL, 'When can you start?', 'done', '2026-01-05'),
    ('m2', 'c1', 'email', 'In spring.', 'running', '2026-01-07'),
    ('m3', 'c2', 'web', 'How do I sign in?', 'done', '2026-01-06'),
    ('m4', 'c9', 'web', 'Is anybody there?', 'done', '2026-01-08');
INSERT INTO whatsapp_messages VALUES
    ('w1', 'a2', 'The tunnel is wet.', '2026-02-01'),
    ('w2', 'a2', 'Pumps are on their way.', '2026-02-02'),
    ('w3', 'a1', 'Photo of the bridge', '2026-02-03');
