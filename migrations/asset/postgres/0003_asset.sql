-- Assets as they are read. The bytes are in the object store under their SHA-256.
CREATE TABLE asset (
  id                      TEXT   NOT NULL PRIMARY KEY,
  type                    TEXT   NOT NULL CHECK (type IN ('image', 'video', 'audio')),
  client_id               TEXT   REFERENCES client (id),
  campaign_id             TEXT   REFERENCES campaign (id),
  name                    TEXT,
  description             TEXT,
  tags                    TEXT   NOT NULL, -- JSON array of strings
  metadata                TEXT,            -- JSON object
  source_url              TEXT,
  sha256                  TEXT   NOT NULL,
  size                    BIGINT NOT NULL, -- bytes
  content_type            TEXT   NOT NULL, -- as read from the bytes
  format                  TEXT   NOT NULL,
  width                   BIGINT,          -- pixels, as shown
  height                  BIGINT,
  duration_ms             BIGINT,
  thumbnail_sha256        TEXT,
  thumbnail_size          BIGINT,
  thumbnail_content_type  TEXT,
  created_at              TEXT   NOT NULL,
  updated_at              TEXT   NOT NULL,
  position                BIGINT NOT NULL, -- of the event that stored it: the order of creation
  CHECK (client_id IS NOT NULL OR campaign_id IS NOT NULL)
);
CREATE UNIQUE INDEX asset_by_position ON asset (position);
CREATE INDEX asset_by_campaign ON asset (campaign_id, position);
CREATE INDEX asset_by_client ON asset (client_id, position);
