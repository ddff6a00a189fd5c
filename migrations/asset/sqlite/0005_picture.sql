-- Pictures that were drawn of images and videos: a cache, which may be lost.
CREATE TABLE picture (
  source  TEXT   NOT NULL, -- SHA-256 of the image or video
  width   BIGINT NOT NULL, -- pixels at most
  at_ms   BIGINT NOT NULL, -- which frame; -1: the usual one
  sha256  TEXT   NOT NULL,
  size    BIGINT NOT NULL, -- bytes
  PRIMARY KEY (source, width, at_ms)
);
