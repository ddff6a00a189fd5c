-- The log. One row per event, never changed and never removed.
CREATE TABLE event (
  position        BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id        TEXT    NOT NULL UNIQUE,
  stream          TEXT    NOT NULL,
  version         BIGINT  NOT NULL CHECK (version > 0),
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

-- Append-only is a property of the database, not a habit of the code: the service's role has no privilege to
-- change an event, and even the owner is refused.
CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log is append-only: an event cannot be changed or removed';
END
$$;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE ON event
  FOR EACH ROW EXECUTE FUNCTION event_is_append_only();
CREATE TRIGGER event_is_never_emptied BEFORE TRUNCATE ON event
  FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only();
