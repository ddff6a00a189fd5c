-- Who wanted which clip. Written together with the facts of its order, which tell how it went.
CREATE TABLE render (
  key          TEXT    NOT NULL PRIMARY KEY,
  job_id       BIGINT  NOT NULL,
  scene_id     TEXT    NOT NULL,
  scene_index  BIGINT  NOT NULL,
  take         BIGINT  NOT NULL,
  clip         TEXT,    -- the clip as {sha256, size, content_type}, once there
  duration_ms  BIGINT ,
  cost_micros  BIGINT  NOT NULL DEFAULT 0,
  -- One take is rendered under one key.
  UNIQUE (job_id, scene_id, take)
);
