-- API keys as they are listed.
CREATE TABLE api_key (
  id          TEXT   NOT NULL PRIMARY KEY,
  name        TEXT   NOT NULL,
  prefix      TEXT   NOT NULL, -- how the key begins
  scopes      TEXT   NOT NULL, -- JSON array of strings
  client_id   TEXT,            -- no reference: a key outlives its client and then reaches nothing
  created_at  TEXT   NOT NULL,
  expires_at  TEXT,
  revoked_at  TEXT,
  position    BIGINT NOT NULL  -- of the event that created it: the order of creation
);
CREATE UNIQUE INDEX api_key_by_position ON api_key (position);
-- SHA-256 of each key. Not from the log: a replay makes no key work. Back it up with the database.
CREATE TABLE api_key_digest (
  key_id  TEXT NOT NULL PRIMARY KEY REFERENCES api_key (id),
  digest  BLOB NOT NULL UNIQUE
);
