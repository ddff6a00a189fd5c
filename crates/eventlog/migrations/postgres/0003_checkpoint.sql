-- How far a reader of some log has come.
CREATE TABLE checkpoint (
  name      TEXT   NOT NULL PRIMARY KEY,
  position  BIGINT NOT NULL
);
