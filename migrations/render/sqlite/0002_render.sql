-- Who wanted which clip. Written together with the facts of its order, which tell how it went.
CREATE TABLE render (
  key          TEXT    NOT NULL PRIMARY KEY,
  job_id       INTEGER NOT NULL,
  scene_id     TEXT    NOT NULL,
  scene_index  INTEGER NOT NULL,
  take         INTEGER NOT NULL,
  clip         TEXT,    -- the clip as {sha256, size, content_type}, once there
  duration_ms  INTEGER,
  cost_micros  INTEGER NOT NULL DEFAULT 0,
  -- One take is rendered under one key.
  UNIQUE (job_id, scene_id, take)
);
