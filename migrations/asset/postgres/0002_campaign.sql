-- Campaigns as they are read.
CREATE TABLE campaign (
  id           TEXT   NOT NULL PRIMARY KEY,
  client_id    TEXT   NOT NULL REFERENCES client (id),
  name         TEXT   NOT NULL,
  goal         TEXT,
  status       TEXT,
  product_url  TEXT,
  brief        TEXT,
  metadata     TEXT,            -- JSON object
  created_at   TEXT   NOT NULL,
  updated_at   TEXT   NOT NULL,
  position     BIGINT NOT NULL  -- of the event that created it: the order of creation
);
CREATE UNIQUE INDEX campaign_by_position ON campaign (position);
CREATE INDEX campaign_by_client ON campaign (client_id, position);
