-- The log. One row per event, never changed and never removed.
CREATE TABLE event (
  position        INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id        TEXT    NOT NULL UNIQUE,
  stream          TEXT    NOT NULL,
  version         INTEGER NOT NULL CHECK (version > 0),
  kind            TEXT    NOT NULL,
  schema_version  INTEGER NOT NULL,
  data            TEXT    NOT NULL,
  correlation_id  TEXT    NOT NULL,
  causation_id    TEXT,
  traceparent     TEXT,
  actor           TEXT    NOT NULL,
  recorded_at     TEXT    NOT NULL,
  UNIQUE (stream, version)
);

-- Append-only is a property of the database, not a habit of the code.
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
  SELECT RAISE(ABORT, 'the event log is append-only: an event cannot be changed');
END;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN
  SELECT RAISE(ABORT, 'the event log is append-only: an event cannot be removed');
END;
