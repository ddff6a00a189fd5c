-- Frames that were drawn, by what they were drawn from. A cache: a lost row is drawn again.
CREATE TABLE frame (
  video_sha256 TEXT   NOT NULL,
  width        BIGINT NOT NULL,
  height       BIGINT NOT NULL,
  sha256       TEXT   NOT NULL,
  size         BIGINT NOT NULL, -- bytes
  PRIMARY KEY (video_sha256, width, height)
);
