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

-- An asset that was brought over may be a document, and its bytes may be missing: then all that names them is.
ALTER TABLE asset
  ALTER COLUMN sha256 DROP NOT NULL,
  ALTER COLUMN size DROP NOT NULL,
  ALTER COLUMN content_type DROP NOT NULL,
  DROP CONSTRAINT asset_type_check,
  ADD CONSTRAINT asset_type_check CHECK (type IN ('image', 'video', 'audio', 'document')),
  ADD CONSTRAINT asset_bytes_check
    CHECK ((sha256 IS NULL) = (size IS NULL) AND (sha256 IS NULL) = (content_type IS NULL));
