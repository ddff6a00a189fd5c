-- What was asked for, and how it ended. Written together with the soundtrack's own events.
CREATE TABLE soundtrack (
    key          TEXT PRIMARY KEY,
    -- Empty for a key that was canceled before it was asked for.
    digest       TEXT NOT NULL,
    job_id       BIGINT NOT NULL,
    -- The request as JSON; NULL for a tombstone.
    request      TEXT,
    -- 'open', 'canceling', 'ready', 'failed' or 'canceled'.
    state        TEXT NOT NULL,
    -- The music, once ready.
    audio        TEXT,
    duration_ms  BIGINT,
    reason       TEXT,
    retryable    BOOLEAN NOT NULL DEFAULT FALSE,
    requested_at TEXT NOT NULL
);

-- What is left to do, oldest first.
CREATE INDEX soundtrack_unfinished ON soundtrack (requested_at) WHERE state IN ('open', 'canceling');

-- The segments that were ordered. Written together with the facts of their orders.
CREATE TABLE segment (
    -- The order's key: <soundtrack>/segment-<number>.
    key            TEXT PRIMARY KEY,
    soundtrack_key TEXT NOT NULL REFERENCES soundtrack (key),
    -- Counted from 1.
    number         BIGINT NOT NULL,
    -- What it repeats of the segment before, in whole seconds of that one's file; NULL for the first.
    window_start   BIGINT,
    window_end     BIGINT,
    -- Whether the provider has taken it on at least once.
    taken          BOOLEAN NOT NULL DEFAULT FALSE,
    -- 'ordered', 'delivered', 'failed' or 'canceled'.
    state          TEXT NOT NULL,
    -- The file, once delivered.
    audio          TEXT,
    length_ms      BIGINT,
    reason         TEXT,
    retryable      BOOLEAN NOT NULL DEFAULT FALSE,
    -- USD micros for all attempts.
    cost_micros    BIGINT NOT NULL DEFAULT 0,
    UNIQUE (soundtrack_key, number)
);
