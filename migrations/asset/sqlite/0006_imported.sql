-- What was brought over from older databases: each row of them once. Facts are in the log; it can be rebuilt from it.
CREATE TABLE imported (
  source        TEXT   NOT NULL, -- which database
  origin_table  TEXT   NOT NULL,
  origin_row    TEXT   NOT NULL, -- its primary key
  digest        TEXT   NOT NULL, -- SHA-256 of what was read of it
  kind          TEXT   NOT NULL CHECK (kind IN ('client', 'campaign', 'asset', 'key')),
  id            TEXT   NOT NULL, -- what it has here; no reference: it may be deleted
  position      BIGINT NOT NULL, -- of the event that brought it over: the order in which things came
  PRIMARY KEY (source, origin_table, origin_row)
);
CREATE UNIQUE INDEX imported_by_position ON imported (source, position);

-- An asset that was brought over may be a document, and its bytes may be missing: then all that names them is. SQLite
-- changes no constraint, so the table is made again; nothing refers to it.
CREATE TABLE asset_0006 (
  id                      TEXT   NOT NULL PRIMARY KEY,
  type                    TEXT   NOT NULL CHECK (type IN ('image', 'video', 'audio', 'document')),
  client_id               TEXT   REFERENCES client (id),
  campaign_id             TEXT   REFERENCES campaign (id),
  name                    TEXT,
  description             TEXT,
  tags                    TEXT   NOT NULL, -- JSON array of strings
  metadata                TEXT,            -- JSON object
  source_url              TEXT,
  sha256                  TEXT,
  size                    BIGINT,          -- bytes
  content_type            TEXT,            -- as read from the bytes
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
  CHECK (client_id IS NOT NULL OR campaign_id IS NOT NULL),
  CHECK ((sha256 IS NULL) = (size IS NULL) AND (sha256 IS NULL) = (content_type IS NULL))
);
INSERT INTO asset_0006
  SELECT id, type, client_id, campaign_id, name, description, tags, metadata, source_url, sha256, size, content_type,
         format, width, height, duration_ms, thumbnail_sha256, thumbnail_size, thumbnail_content_type, created_at,
         updated_at, position
  FROM asset;
DROP TABLE asset;
ALTER TABLE asset_0006 RENAME TO asset;
CREATE UNIQUE INDEX asset_by_position ON asset (position);
CREATE INDEX asset_by_campaign ON asset (campaign_id, position);
CREATE INDEX asset_by_client ON asset (client_id, position);
