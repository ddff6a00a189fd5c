-- Run once, by the superuser, in an empty database: for each service a schema, a role that owns and migrates it, and a role
-- that the service runs under. The passwords are files, so that they are in no statement that is written down.
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', role,
              rtrim(pg_read_file('/run/secrets/postgres-roles/' || role), E'\r\n'))
  FROM unnest(ARRAY['asset', 'job', 'render', 'stitch', 'audio']) AS service,
       unnest(ARRAY[service || '_owner', service || '_service']) AS role
\gexec

SELECT format('CREATE SCHEMA %I AUTHORIZATION %I', service, service || '_owner')
  FROM unnest(ARRAY['asset', 'job', 'render', 'stitch', 'audio']) AS service
\gexec
