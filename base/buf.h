/* buf.h - text and bytes that grow, up to a named limit.
 *
 * A buf never grows past its limit: an add that would sets `failed`, leaves the contents as they are, and every later add does
 * nothing. So a writer adds freely and asks once at the end (buf_ok). The byte behind the contents is always 0. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n, room, limit_bytes;
    bool failed;
};

void buf_init(struct buf *b, size_t limit_bytes);
void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory, forgets contents and failure */
/* False with ERR_TOO_LARGE naming `what` when something did not fit. */
bool buf_ok(const struct buf *b, const char *what, struct err *err) MUSTCHECK;
/* Makes room for n more bytes and returns where they go (or NULL); the caller then adds n to b->n. */
char *buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_add_byte(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t v); /* decimal */
/* A JSON string with its quotes; control characters, quotes and backslash escaped; bytes above 0x7f as they are. */
void buf_add_json_str(struct buf *b, struct str s);
/* A JSON number that reads back as the same double (shortest of 15 to 17 digits); null when it is not finite. */
void buf_add_json_double(struct buf *b, double v);
void buf_add_be16(struct buf *b, uint16_t v); /* network order, as PostgreSQL's binary formats */
void buf_add_be32(struct buf *b, uint32_t v);
void buf_add_be64(struct buf *b, uint64_t v);
/* Removes n bytes from the front. */
void buf_consume(struct buf *b, size_t n);
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){ b->p ? b->p : "", b->n };
}
static inline void buf_release_p(struct buf *b)
{
    buf_release(b);
}
