//! The tables and indexes of `scenes.db`, as data.

/// A table: one column a line, in its order in a new file. Columns that came late begin with `+`.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Whether it came late as a whole.
    pub(super) late: bool,
    pub(super) columns: &'static str,
    /// Constraints of the whole table.
    pub(super) constraints: &'static [&'static str],
}

const fn table(name: &'static str, columns: &'static str, constraints: &'static [&'static str]) -> Table {
    Table { name, late: false, columns, constraints }
}

const fn late(name: &'static str, columns: &'static str, constraints: &'static [&'static str]) -> Table {
    Table { name, late: true, columns, constraints }
}

pub(super) const TABLES: &[Table] = &[
    table(
        "users",
        "id INTEGER PRIMARY KEY AUTOINCREMENT
        username TEXT NOT NULL UNIQUE
        email TEXT NOT NULL UNIQUE
        hashed_password TEXT NOT NULL
        is_active BOOLEAN DEFAULT 1
        is_admin BOOLEAN DEFAULT 0
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        last_login TIMESTAMP",
        &[],
    ),
    table(
        "api_keys",
        "id INTEGER PRIMARY KEY AUTOINCREMENT
        key_hash TEXT NOT NULL UNIQUE
        name TEXT NOT NULL
        user_id INTEGER NOT NULL
        is_active BOOLEAN DEFAULT 1
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        last_used TIMESTAMP
        expires_at TIMESTAMP",
        &["FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE"],
    ),
    table(
        "clients",
        "id TEXT PRIMARY KEY
        user_id INTEGER NOT NULL
        name TEXT NOT NULL
        description TEXT
        +homepage TEXT
        brand_guidelines TEXT
        +metadata TEXT
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        &["FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE"],
    ),
    table(
        "campaigns",
        "id TEXT PRIMARY KEY
        client_id TEXT NOT NULL
        user_id INTEGER NOT NULL
        name TEXT NOT NULL
        goal TEXT NOT NULL
        status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('active', 'archived', 'draft'))
        +product_url TEXT
        brief TEXT
        +metadata TEXT
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        &[
            "FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE",
            "FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE",
        ],
    ),
    table(
        "assets",
        "id TEXT PRIMARY KEY
        user_id INTEGER
        client_id TEXT
        campaign_id TEXT
        name TEXT NOT NULL
        asset_type TEXT NOT NULL
        url TEXT NOT NULL
        size INTEGER
        uploaded_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        format TEXT NOT NULL
        tags TEXT
        width INTEGER
        height INTEGER
        duration INTEGER
        thumbnail_url TEXT
        waveform_url TEXT
        page_count INTEGER
        +blob_data BLOB
        +blob_id TEXT
        +source_url TEXT
        +thumbnail_blob_id TEXT",
        &[
            "FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE",
            "FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE",
            "FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE CASCADE",
        ],
    ),
    late(
        "asset_blobs",
        "id TEXT PRIMARY KEY
        data BLOB NOT NULL
        content_type TEXT NOT NULL
        size_bytes INTEGER NOT NULL
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        &[],
    ),
    table(
        "generated_videos",
        "id INTEGER PRIMARY KEY AUTOINCREMENT
        prompt TEXT NOT NULL
        video_url TEXT NOT NULL
        model_id TEXT NOT NULL
        parameters TEXT NOT NULL
        status TEXT DEFAULT 'completed'
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        collection TEXT
        metadata TEXT
        download_attempted BOOLEAN DEFAULT 0
        download_retries INTEGER DEFAULT 0
        download_error TEXT
        video_data BLOB
        +thumbnail_data BLOB
        +progress TEXT
        +storyboard_data TEXT
        +approved BOOLEAN DEFAULT 0
        +approved_at TIMESTAMP
        +estimated_cost REAL DEFAULT 0.0
        +actual_cost REAL DEFAULT 0.0
        +error_message TEXT
        +updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        +download_count INTEGER DEFAULT 0
        +refinement_count INTEGER DEFAULT 0
        brief_id TEXT
        client_id TEXT
        campaign_id TEXT
        format TEXT DEFAULT '16:9' CHECK (format IN ('9:16', '1:1', '16:9'))
        duration INTEGER DEFAULT 30 CHECK (duration IN (15, 30, 60))
        views INTEGER DEFAULT 0
        clicks INTEGER DEFAULT 0
        ctr REAL DEFAULT 0.0
        conversions INTEGER DEFAULT 0",
        OF_A_BRIEF,
    ),
    late(
        "job_scenes",
        "id TEXT PRIMARY KEY
        job_id INTEGER NOT NULL
        scene_number INTEGER NOT NULL
        duration_seconds REAL NOT NULL
        description TEXT NOT NULL
        script TEXT
        shot_type TEXT
        transition TEXT
        assets TEXT
        metadata TEXT
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        &[
            "FOREIGN KEY (job_id) REFERENCES generated_videos(id) ON DELETE CASCADE",
            "UNIQUE (job_id, scene_number)",
        ],
    ),
    late(
        "video_sub_jobs",
        "id TEXT PRIMARY KEY
        job_id INTEGER NOT NULL
        sub_job_number INTEGER NOT NULL
        image1_asset_id TEXT NOT NULL
        image2_asset_id TEXT NOT NULL
        replicate_prediction_id TEXT
        model_id TEXT NOT NULL
        input_parameters TEXT
        status TEXT DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed'))
        progress REAL DEFAULT 0.0
        video_url TEXT
        video_blob_id TEXT
        duration_seconds REAL
        estimated_cost REAL DEFAULT 0.0
        actual_cost REAL DEFAULT 0.0
        error_message TEXT
        retry_count INTEGER DEFAULT 0
        started_at TIMESTAMP
        completed_at TIMESTAMP
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        &[
            "FOREIGN KEY (job_id) REFERENCES generated_videos(id) ON DELETE CASCADE",
            "FOREIGN KEY (image1_asset_id) REFERENCES assets(id)",
            "FOREIGN KEY (image2_asset_id) REFERENCES assets(id)",
            "UNIQUE (job_id, sub_job_number)",
        ],
    ),
    late(
        "generated_audio",
        "id INTEGER PRIMARY KEY AUTOINCREMENT
        prompt TEXT NOT NULL
        audio_url TEXT NOT NULL
        model_id TEXT NOT NULL
        parameters TEXT NOT NULL
        status TEXT DEFAULT 'completed'
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        collection TEXT
        metadata TEXT
        download_attempted BOOLEAN DEFAULT 0
        download_retries INTEGER DEFAULT 0
        download_error TEXT
        audio_data BLOB
        duration REAL
        brief_id TEXT
        client_id TEXT
        campaign_id TEXT",
        OF_A_BRIEF,
    ),
    table(
        "generated_images",
        "id INTEGER PRIMARY KEY AUTOINCREMENT
        prompt TEXT NOT NULL
        image_url TEXT NOT NULL
        model_id TEXT NOT NULL
        parameters TEXT NOT NULL
        status TEXT DEFAULT 'completed'
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        collection TEXT
        metadata TEXT
        download_attempted BOOLEAN DEFAULT 0
        download_retries INTEGER DEFAULT 0
        download_error TEXT
        image_data BLOB
        brief_id TEXT
        +client_id TEXT
        +campaign_id TEXT",
        &["FOREIGN KEY (brief_id) REFERENCES creative_briefs(id)"],
    ),
    table(
        "creative_briefs",
        "id TEXT PRIMARY KEY
        user_id INTEGER NOT NULL
        prompt_text TEXT
        image_url TEXT
        video_url TEXT
        image_data BLOB
        video_data BLOB
        creative_direction TEXT NOT NULL
        scenes TEXT NOT NULL
        confidence_score REAL
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        &["FOREIGN KEY (user_id) REFERENCES users(id)"],
    ),
    table(
        "generated_scenes",
        "id INTEGER PRIMARY KEY AUTOINCREMENT
        prompt TEXT NOT NULL
        scene_data TEXT NOT NULL
        model TEXT NOT NULL
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        metadata TEXT
        brief_id TEXT",
        &["FOREIGN KEY (brief_id) REFERENCES creative_briefs(id)"],
    ),
    table(
        "genesis_videos",
        "id INTEGER PRIMARY KEY AUTOINCREMENT
        scene_data TEXT NOT NULL
        video_path TEXT NOT NULL
        quality TEXT NOT NULL
        duration REAL NOT NULL
        fps INTEGER NOT NULL
        resolution TEXT
        scene_context TEXT
        object_descriptions TEXT
        status TEXT DEFAULT 'completed'
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        metadata TEXT",
        &[],
    ),
    table(
        "uploaded_assets",
        "asset_id TEXT PRIMARY KEY
        user_id INTEGER NOT NULL
        filename TEXT NOT NULL
        file_path TEXT NOT NULL
        file_type TEXT NOT NULL
        size_bytes INTEGER NOT NULL
        uploaded_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        &["FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE"],
    ),
    late(
        "luigi_task_state",
        "task_id VARCHAR(255) PRIMARY KEY
        job_id INTEGER NOT NULL
        task_name VARCHAR(100) NOT NULL
        status VARCHAR(20) NOT NULL
        output_data TEXT
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        completed_at TIMESTAMP",
        &["FOREIGN KEY (job_id) REFERENCES generated_videos(id)"],
    ),
];

/// The references of what was generated.
const OF_A_BRIEF: &[&str] = &[
    "FOREIGN KEY (brief_id) REFERENCES creative_briefs(id)",
    "FOREIGN KEY (client_id) REFERENCES clients(id)",
    "FOREIGN KEY (campaign_id) REFERENCES campaigns(id)",
];

/// Name, table and columns of every index.
pub(super) const INDEXES: &[(&str, &str, &str)] = &[
    ("idx_users_username", "users", "username"),
    ("idx_api_keys_hash", "api_keys", "key_hash"),
    ("idx_clients_name", "clients", "name"),
    ("idx_clients_user_id", "clients", "user_id"),
    ("idx_campaigns_client_id", "campaigns", "client_id"),
    ("idx_campaigns_status", "campaigns", "status"),
    ("idx_campaigns_user_id", "campaigns", "user_id"),
    ("idx_assets_blob_id", "assets", "blob_id"),
    ("idx_assets_campaign_id", "assets", "campaign_id"),
    ("idx_assets_client_id", "assets", "client_id"),
    ("idx_assets_type", "assets", "asset_type"),
    ("idx_assets_uploaded_at", "assets", "uploaded_at"),
    ("idx_assets_user_id", "assets", "user_id"),
    ("idx_asset_blobs_created_at", "asset_blobs", "created_at"),
    ("idx_videos_brief", "generated_videos", "brief_id"),
    ("idx_videos_campaign", "generated_videos", "campaign_id"),
    ("idx_videos_client", "generated_videos", "client_id"),
    ("idx_videos_created_at", "generated_videos", "created_at DESC"),
    ("idx_videos_model", "generated_videos", "model_id"),
    ("idx_job_scenes_job_id", "job_scenes", "job_id"),
    ("idx_job_scenes_scene_number", "job_scenes", "scene_number"),
    ("idx_sub_jobs_job_id", "video_sub_jobs", "job_id"),
    ("idx_sub_jobs_prediction_id", "video_sub_jobs", "replicate_prediction_id"),
    ("idx_sub_jobs_status", "video_sub_jobs", "status"),
    ("idx_audio_brief", "generated_audio", "brief_id"),
    ("idx_audio_campaign", "generated_audio", "campaign_id"),
    ("idx_audio_client", "generated_audio", "client_id"),
    ("idx_audio_created_at", "generated_audio", "created_at DESC"),
    ("idx_audio_model", "generated_audio", "model_id"),
    ("idx_images_brief", "generated_images", "brief_id"),
    ("idx_images_campaign", "generated_images", "campaign_id"),
    ("idx_images_client", "generated_images", "client_id"),
    ("idx_images_created_at", "generated_images", "created_at DESC"),
    ("idx_images_model", "generated_images", "model_id"),
    ("idx_briefs_created", "creative_briefs", "created_at DESC"),
    ("idx_briefs_user", "creative_briefs", "user_id"),
    ("idx_created_at", "generated_scenes", "created_at DESC"),
    ("idx_model", "generated_scenes", "model"),
    ("idx_scenes_brief", "generated_scenes", "brief_id"),
    ("idx_genesis_videos_created_at", "genesis_videos", "created_at DESC"),
    ("idx_genesis_videos_quality", "genesis_videos", "quality"),
    ("idx_assets_uploaded", "uploaded_assets", "uploaded_at DESC"),
    ("idx_assets_user", "uploaded_assets", "user_id"),
    ("idx_luigi_task_job_id", "luigi_task_state", "job_id"),
    ("idx_luigi_task_status", "luigi_task_state", "status"),
    ("idx_luigi_task_created", "luigi_task_state", "created_at"),
];
