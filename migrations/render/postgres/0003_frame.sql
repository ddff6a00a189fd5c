-- Photos as the provider gets them. A cache: what is lost is made again.
CREATE TABLE frame (
  photo_sha256  TEXT    NOT NULL PRIMARY KEY,
  sha256        TEXT    NOT NULL,
  size          BIGINT  NOT NULL,
  content_type  TEXT    NOT NULL
);
