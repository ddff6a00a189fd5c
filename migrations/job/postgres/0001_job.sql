-- What is asked of all jobs at once. The jobs themselves are in the log; these rows follow from it.

CREATE TABLE job (
    id          BIGINT  NOT NULL PRIMARY KEY,
    campaign_id TEXT    NOT NULL,
    -- The number in the video's name: per campaign, from 1, without gaps.
    number      BIGINT  NOT NULL,
    client_id   TEXT,
    kind        TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    -- There is a video that plays.
    playable    BOOLEAN NOT NULL,
    -- Something should be outstanding at a worker, or be asked for.
    unfinished  BOOLEAN NOT NULL,
    video_name  TEXT    NOT NULL,
    -- Version of the stream that the row follows from.
    version     BIGINT  NOT NULL,
    created_at  TEXT    NOT NULL,
    updated_at  TEXT    NOT NULL,
    UNIQUE (campaign_id, number)
);

CREATE INDEX job_unfinished ON job (id) WHERE unfinished;
CREATE INDEX job_playable ON job (id) WHERE playable;
CREATE INDEX job_client ON job (client_id, id);

-- Which job a scene is in.
CREATE TABLE scene (
    id     TEXT   NOT NULL PRIMARY KEY,
    job_id BIGINT NOT NULL REFERENCES job (id)
);

CREATE INDEX scene_job ON scene (job_id);
