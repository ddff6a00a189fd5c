-- Who may work on what, until when. The fence grows with every claim and never goes back.
CREATE TABLE lease (
  name        TEXT   NOT NULL PRIMARY KEY,
  owner       TEXT   NOT NULL,
  fence       BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL -- milliseconds since 1970 by the database's clock; 0 once released
);
