-- What the replicas of this service tell each other. Not facts: losing a row costs time, never money.

-- Until when the provider asked the account to wait, for whoever starts attempts next.
CREATE TABLE prediction_pace (
  name       TEXT NOT NULL PRIMARY KEY, -- 'account'
  resume_at  TEXT NOT NULL
);

-- Orders that a webhook was about which reached a replica other than the one that works on them.
CREATE TABLE prediction_nudge (
  order_key  TEXT NOT NULL PRIMARY KEY
);
