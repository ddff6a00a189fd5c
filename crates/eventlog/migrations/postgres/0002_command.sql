-- Idempotency keys: the reply that a command got, kept under its id.
CREATE TABLE command (
  id           TEXT  NOT NULL PRIMARY KEY,
  digest       TEXT  NOT NULL,
  reply        BYTEA NOT NULL,
  recorded_at  TEXT  NOT NULL
);
CREATE INDEX command_by_time ON command (recorded_at);
