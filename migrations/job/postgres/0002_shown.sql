-- What jobs have cost, and what their scenes are shown as: also what is asked of all jobs at once.

ALTER TABLE job ADD COLUMN spent_micros BIGINT NOT NULL DEFAULT 0;
-- Version of the stream that these columns and the rows of the scenes follow from. Less than `version`: they are to be
-- read from the log again, because a program without them wrote the row.
ALTER TABLE job ADD COLUMN shown_version BIGINT NOT NULL DEFAULT 0;

-- The scene's place in the video, from 0, and the status that it is shown with.
ALTER TABLE scene ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scene ADD COLUMN status TEXT NOT NULL DEFAULT 'pending';

CREATE INDEX job_behind ON job (id) WHERE shown_version < version;
CREATE INDEX job_status ON job (status, id);
CREATE INDEX scene_status ON scene (status, job_id);
