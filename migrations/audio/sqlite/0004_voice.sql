-- Scripts that were asked to be spoken, and how that ended. Written together with the voice's own events.
CREATE TABLE voice (
    key          TEXT PRIMARY KEY,
    digest       TEXT NOT NULL,
    -- The request as JSON.
    request      TEXT NOT NULL,
    -- 'waiting', 'speaking', 'ready' or 'failed'.
    state        TEXT NOT NULL,
    -- The call that is out or was the last, from 1; 0 before the first.
    attempt      BIGINT NOT NULL DEFAULT 0,
    -- The next call is not made before.
    due_at       TEXT NOT NULL,
    -- The speech, once ready.
    audio        TEXT,
    duration_ms  BIGINT,
    reason       TEXT,
    retryable    BOOLEAN NOT NULL DEFAULT FALSE,
    -- USD micros.
    cost_micros  BIGINT NOT NULL DEFAULT 0
);

-- What is left to do, oldest first.
CREATE INDEX voice_unfinished ON voice (due_at) WHERE state IN ('waiting', 'speaking');
