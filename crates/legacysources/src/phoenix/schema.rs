//! The tables of the Phoenix service.

/// What makes the tables, indexes and triggers.
pub(super) const SQL: &str = "
    CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, inserted_at TEXT);
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, email TEXT NOT NULL, password_hash TEXT,
        api_key_hash TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE UNIQUE INDEX users_username_index ON users (username);
    CREATE UNIQUE INDEX users_email_index ON users (email);
    CREATE TABLE clients (
        id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, brand_guidelines TEXT, inserted_at TEXT NOT NULL,
        updated_at TEXT NOT NULL, description TEXT, homepage TEXT, metadata TEXT);
    CREATE TABLE campaigns (
        id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, brief TEXT,
        client_id TEXT NOT NULL REFERENCES clients(id) ON DELETE CASCADE, inserted_at TEXT NOT NULL,
        updated_at TEXT NOT NULL, goal TEXT, status TEXT, product_url TEXT, metadata TEXT);
    CREATE INDEX campaigns_client_id_index ON campaigns (client_id);
    CREATE TABLE assets (
        id TEXT PRIMARY KEY NOT NULL, type TEXT NOT NULL, blob_data BLOB, metadata TEXT, source_url TEXT,
        campaign_id TEXT REFERENCES campaigns(id) ON DELETE CASCADE,
        client_id TEXT REFERENCES clients(id) ON DELETE CASCADE, inserted_at TEXT NOT NULL,
        updated_at TEXT NOT NULL, name TEXT, description TEXT, tags TEXT, width INTEGER, height INTEGER,
        CHECK (campaign_id IS NOT NULL OR client_id IS NOT NULL));
    CREATE INDEX assets_type_index ON assets (type);
    CREATE INDEX assets_campaign_id_index ON assets (campaign_id);
    CREATE INDEX assets_client_id_index ON assets (client_id);
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'pending',
        parameters TEXT, storyboard TEXT, progress TEXT, result BLOB, inserted_at TEXT NOT NULL,
        updated_at TEXT NOT NULL, audio_blob BLOB, video_name TEXT, estimated_cost NUMERIC);
    CREATE INDEX jobs_type_index ON jobs (type);
    CREATE INDEX jobs_status_index ON jobs (status);
    CREATE TABLE sub_jobs (
        id TEXT PRIMARY KEY NOT NULL, job_id INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
        provider_id TEXT, status TEXT NOT NULL DEFAULT 'pending', video_blob BLOB, inserted_at TEXT NOT NULL,
        updated_at TEXT NOT NULL);
    CREATE INDEX sub_jobs_job_id_index ON sub_jobs (job_id);
    CREATE INDEX sub_jobs_status_index ON sub_jobs (status);
    CREATE INDEX sub_jobs_provider_id_index ON sub_jobs (provider_id);
    CREATE TRIGGER assets_type_insert BEFORE INSERT ON assets
        WHEN NEW.type NOT IN ('image', 'video', 'audio') BEGIN SELECT RAISE(ABORT, 'invalid asset type'); END;
    CREATE TRIGGER assets_type_update BEFORE UPDATE ON assets
        WHEN NEW.type NOT IN ('image', 'video', 'audio') BEGIN SELECT RAISE(ABORT, 'invalid asset type'); END;
    CREATE TRIGGER jobs_check_insert BEFORE INSERT ON jobs
        WHEN NEW.type NOT IN ('image_pairs', 'property_photos')
            OR NEW.status NOT IN ('pending', 'approved', 'processing', 'completed', 'failed')
        BEGIN SELECT RAISE(ABORT, 'invalid job'); END;
    CREATE TRIGGER jobs_check_update BEFORE UPDATE ON jobs
        WHEN NEW.type NOT IN ('image_pairs', 'property_photos')
            OR NEW.status NOT IN ('pending', 'approved', 'processing', 'completed', 'failed')
        BEGIN SELECT RAISE(ABORT, 'invalid job'); END;
    CREATE TRIGGER sub_jobs_check_insert BEFORE INSERT ON sub_jobs
        WHEN NEW.status NOT IN ('pending', 'processing', 'completed', 'failed')
        BEGIN SELECT RAISE(ABORT, 'invalid scene'); END;
    CREATE TRIGGER sub_jobs_check_update BEFORE UPDATE ON sub_jobs
        WHEN NEW.status NOT IN ('pending', 'processing', 'completed', 'failed')
        BEGIN SELECT RAISE(ABORT, 'invalid scene'); END;
    INSERT INTO schema_migrations VALUES (20251122000001, '2025-11-22T22:00:00'),
        (20251124000001, '2025-11-24T22:00:00');";
