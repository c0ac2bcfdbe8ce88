/* pg.h - a blocking connection to PostgreSQL with a table of prepared statements.
 *
 * For the threads and programs that may wait: control, loader, trainer, import, migrate. Workers use pgloop.h. All SQL stands in
 * tables of struct pg_stmt; parameters are text or binary, never glued in. A lost connection is ERR_DB; pg_reopen tries again. */
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* A network that lost the other end without a word (half-open: no reset arrives) is noticed by both ends within half a minute: an
 * idle connection by keepalives, one that waits for its bytes to be acknowledged by the user timeout. Every connection has these;
 * client's side as parameters, which a URL may override, server's side for the session, so that what a lost client had locked
 * does not stay locked. They mean nothing on a Unix socket. */
#define PG_NETWORK_NAMES \
    "connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"
#define PG_NETWORK_VALUES "10", "10", "5", "3", "30000"
#define PG_NETWORK_SESSION                                                                                \
    "set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), " \
    "set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '30000', false)"

struct pg_stmt {
    const char *name;
    int params;
    const char *sql;
};

struct pg {
    PGconn *conn;
    char *url;
    const struct pg_stmt *table; /* prepared on every connect */
    size_t table_count;
};

/* url: anything libpq takes ("postgresql://…", "host=/path dbname=x"). table may be NULL. application_name is set to `who`. */
struct pg *pg_open(const char *url, const char *who, const struct pg_stmt *table, size_t count, struct err *err);
void pg_close(struct pg *pg);
DEFINE_AUTO(struct pg *, pg_close)
/* Connects again after ERR_DB and prepares the table again. */
bool pg_reopen(struct pg *pg, struct err *err) MUSTCHECK;
bool pg_is_alive(const struct pg *pg);

/* One text parameter per element; NULL is SQL null. */
PGresult *pg_run(struct pg *pg, const struct pg_stmt *stmt, const char *const *params, struct err *err);
/* The same with lengths and formats (1 = binary) for parameters that need them. Results are text. */
PGresult *pg_run_binary(struct pg *pg, const struct pg_stmt *stmt, const char *const *values, const int *lengths,
                        const int *formats, struct err *err);
/* Statements without parameters or rows: "begin", "commit", a migration's text. */
bool pg_exec(struct pg *pg, const char *sql, struct err *err) MUSTCHECK;
bool pg_begin(struct pg *pg, struct err *err) MUSTCHECK;
bool pg_commit(struct pg *pg, struct err *err) MUSTCHECK;
void pg_rollback(struct pg *pg); /* best effort */
static inline void pg_result_free(PGresult *r)
{
    PQclear(r);
}
DEFINE_AUTO(PGresult *, pg_result_free)

/* Binary COPY in: the caller builds rows with the pg_copy_* writers into a buf and sends it in pieces. */
bool pg_copy_begin(struct pg *pg, const char *copy_sql,
                   struct err *err) MUSTCHECK; /* "copy t (a, b) from stdin (format binary)" */
bool pg_copy_send(struct pg *pg, struct str bytes, struct err *err) MUSTCHECK;
bool pg_copy_end(struct pg *pg, uint64_t *out_rows, struct err *err) MUSTCHECK;
void pg_copy_header(struct buf *b);
void pg_copy_row(struct buf *b, unsigned columns);
void pg_copy_null(struct buf *b);
void pg_copy_text(struct buf *b, struct str s); /* bytea, too; {NULL, 0} is null */
void pg_copy_i16(struct buf *b, int16_t v);
void pg_copy_i32(struct buf *b, int32_t v);
void pg_copy_i64(struct buf *b, int64_t v);
void pg_copy_double(struct buf *b, double v); /* NAN is null */
void pg_copy_time(struct buf *b, int64_t us);
void pg_copy_date(struct buf *b, int32_t day); /* days since 1970-01-01 */
void pg_copy_uuid(struct buf *b, const unsigned char id[16]);
void pg_copy_jsonb(struct buf *b, struct str json);                 /* {NULL, 0} is null */
void pg_copy_doubles(struct buf *b, const double *v, size_t count); /* float8[], none of them NAN; v NULL is null */
void pg_copy_trailer(struct buf *b);

/* Readers of a text result; a bad value is a bug of the statement and asserts. */
struct str pg_get(const PGresult *r, int row, int column);    /* {NULL, 0} for null */
int64_t pg_get_i64(const PGresult *r, int row, int column);   /* 0 for null */
double pg_get_double(const PGresult *r, int row, int column); /* NAN for null */
bool pg_get_bool(const PGresult *r, int row, int column);
int64_t pg_get_time(const PGresult *r, int row, int column); /* µs since 1970 from timestamptz text; 0 for null */

/* ERR_DB (or ERR_CONFLICT for 23505, ERR_INVALID for 22xxx and 23xxx) with PostgreSQL's primary message. Returns false. */
bool pg_err(const PGconn *conn, const PGresult *r, const char *what, struct err *err);

#define UUID_TEXT_MAX 37
void uuid_v7(unsigned char out[16], int64_t at_us); /* RFC 9562: time-ordered */
void uuid_format(const unsigned char id[16], char text[UUID_TEXT_MAX]);
bool uuid_parse(struct str s, unsigned char out[16]);
