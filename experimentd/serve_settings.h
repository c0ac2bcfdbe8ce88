/* serve_settings.h - the settings of `experimentd serve`: one table, one struct. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"

struct serve_settings {
    char *data_dir, *database_url, *listen, *log_level, *web_dir, *pg_user, *pg_bin_dir, *cors_origins,
        *features_encryption_key_file, *marks_bot_agents, *marks_internal_networks, *http_trusted_proxies, *archive_dir,
        *exposure_dimensions, *alarm_webhook, *webhook_secret_file, *jobs_trainer, *jobs_trainer_config,
        *jobs_max_running_types, *models_recommender;
    uint32_t threads, pg_shared_buffers_mb, statement_timeout_ms, http_connections, marks_unit_signals_per_minute,
        ingest_key_rate, jobs_max_running, jobs_max_resumes;
    uint64_t journal_max_bytes, journal_segment_bytes, http_body_bytes, models_recent_bytes;
    int64_t drain_delay_us, drain_deadline_us, http_idle_us, http_header_us, http_body_us, jobs_lost_after_us;
    bool page_open, ofrep_bulk_exposures, jobs_enabled;
};

extern const struct setting serve_settings[];
extern const size_t serve_settings_count;
