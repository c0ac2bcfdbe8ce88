#include "experimentd/serve_settings.h"

#define AT(field) offsetof(struct serve_settings, field)

const struct setting serve_settings[] = {
    { "data_dir", SETTING_TEXT, AT(data_dir), NULL, false, "DIR",
      "where everything is kept: journal, keys, and the private PostgreSQL (required)" },
    { "listen", SETTING_TEXT, AT(listen), "127.0.0.1:8080", false, "HOST:PORT",
      "address to serve on; port 0 takes a free one and writes it to DIR/listen.addr" },
    { "database_url", SETTING_TEXT, AT(database_url), NULL, false, "URL",
      "PostgreSQL to use instead of a private one in DIR/pg" },
    { "threads", SETTING_U32, AT(threads), "0", false, "N", "worker threads; 0 is one per core" },
    { "web.dir", SETTING_TEXT, AT(web_dir), NULL, false, "DIR", "the built page; default: web/dist beside the program" },
    { "page.open", SETTING_BOOL, AT(page_open), "false", false, NULL,
      "let anyone who can reach the server read results without a key" },
    { "log.level", SETTING_TEXT, AT(log_level), "info", true, "LEVEL", "debug, info, warn or error" },
    { "journal.max_bytes", SETTING_SIZE, AT(journal_max_bytes), "10g", false, "SIZE",
      "signals kept while PostgreSQL is away; beyond it clients get 503" },
    { "journal.segment_bytes", SETTING_SIZE, AT(journal_segment_bytes), "64m", false, "SIZE",
      "size of one journal file" },
    { "http.body_bytes", SETTING_SIZE, AT(http_body_bytes), "8m", false, "SIZE", "largest request body, before and after gzip" },
    { "http.connections", SETTING_U32, AT(http_connections), "10000", false, "N", "open connections per worker thread" },
    { "http.header_timeout", SETTING_SECONDS, AT(http_header_us), "10", false, "SECONDS",
      "from the first byte of a request to the end of its headers" },
    { "http.body_timeout", SETTING_SECONDS, AT(http_body_us), "60", false, "SECONDS", "from the headers to the whole body" },
    { "http.idle_timeout", SETTING_SECONDS, AT(http_idle_us), "75", false, "SECONDS", "a connection without a request is closed after" },
    { "drain.delay", SETTING_SECONDS, AT(drain_delay_us), "0", false, "SECONDS",
      "after SIGTERM, answer /readyz with 503 for so long before the listeners close" },
    { "drain.deadline", SETTING_SECONDS, AT(drain_deadline_us), "30", false, "SECONDS",
      "requests still under way after so long are dropped" },
    { "pg.user", SETTING_TEXT, AT(pg_user), "postgres", false, "USER", "who runs the private PostgreSQL when started as root" },
    { "pg.bin_dir", SETTING_TEXT, AT(pg_bin_dir), NULL, false, "DIR", "where initdb and postgres are; default: found" },
    { "pg.shared_buffers_mb", SETTING_U32, AT(pg_shared_buffers_mb), "256", false, "MB", "cache of the private PostgreSQL" },
    { "pg.statement_timeout_ms", SETTING_U32, AT(statement_timeout_ms), "10000", false, "MS", "limit of one statement of a request" },
};
const size_t serve_settings_count = sizeof serve_settings / sizeof *serve_settings;
