-- Which rows of older databases were brought over, and as which jobs.

CREATE TABLE imported (
    source       TEXT   NOT NULL,
    origin_table TEXT   NOT NULL,
    -- The row's primary key.
    origin_row   TEXT   NOT NULL,
    -- Of what was read of it.
    digest       TEXT   NOT NULL,
    job_id       BIGINT NOT NULL REFERENCES job (id),
    -- The job's number in the older database.
    legacy_id    BIGINT NOT NULL,
    -- Of the event that brought it over: the order in which they came.
    position     BIGINT NOT NULL,
    PRIMARY KEY (source, origin_table, origin_row)
);

CREATE UNIQUE INDEX imported_by_position ON imported (source, position);
CREATE UNIQUE INDEX imported_job ON imported (job_id);
