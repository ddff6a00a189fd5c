-- Who has to move an unfinished job next, and until when: what the watch over all jobs and the numbers about them ask.

-- The word for whoever has to; none of a job that is finished.
ALTER TABLE job ADD COLUMN owner TEXT;
-- When it was made, or taken up again.
ALTER TABLE job ADD COLUMN unfinished_since TEXT;
-- When it last moved.
ALTER TABLE job ADD COLUMN owed_since TEXT;
-- When it is overdue, or told to be so once more.
ALTER TABLE job ADD COLUMN deadline TEXT;
-- When it was first told to be overdue; none while it is not.
ALTER TABLE job ADD COLUMN stalled_since TEXT;
-- Version of the stream that these columns follow from. Less than `version`: they are to be read from the log again, because
-- a program without them wrote the row.
ALTER TABLE job ADD COLUMN watched_version BIGINT NOT NULL DEFAULT 0;

-- Nobody has to move what is finished, so nothing of it is to be read.
UPDATE job SET watched_version = version WHERE status IN ('completed', 'failed', 'canceled') AND NOT unfinished;

CREATE INDEX job_owed ON job (owner, unfinished_since) WHERE owner IS NOT NULL;
CREATE INDEX job_deadline ON job (deadline) WHERE owner IS NOT NULL;
CREATE INDEX job_unwatched ON job (id) WHERE watched_version < version;
