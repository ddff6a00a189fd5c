-- Clients as they are read. Facts are in the log; this table can be rebuilt from it.
CREATE TABLE client (
  id                TEXT   NOT NULL PRIMARY KEY,
  name              TEXT   NOT NULL,
  description       TEXT,
  homepage          TEXT,
  brand_guidelines  TEXT,
  metadata          TEXT,            -- JSON object
  created_at        TEXT   NOT NULL,
  updated_at        TEXT   NOT NULL,
  position          BIGINT NOT NULL  -- of the event that created it: the order of creation
);
CREATE UNIQUE INDEX client_by_position ON client (position);
