/* jsonw.h - writing JSON into a buf, commas and nesting taken care of. Keys end with 0; keys and values are escaped.
 *
 *   struct jsonw w; jsonw_init(&w, &buf);
 *   jsonw_open(&w, NULL, '{'); jsonw_str(&w, "key", s); jsonw_open(&w, "list", '['); jsonw_i64(&w, NULL, 1); jsonw_close(&w); jsonw_close(&w);
 *
 * A key of NULL is for elements of arrays and the outermost value. Nesting up to JSONW_DEPTH (asserted). */
#pragma once
#include "base/buf.h"

enum { JSONW_DEPTH = 16 };

struct jsonw {
    struct buf *out;
    unsigned depth;
    char closers[JSONW_DEPTH];
    bool comma;
};

void jsonw_init(struct jsonw *w, struct buf *out);
void jsonw_open(struct jsonw *w, const char *key, char bracket); /* '{' or '[' */
void jsonw_close(struct jsonw *w);
void jsonw_str(struct jsonw *w, const char *key, struct str v);   /* {NULL, 0}: null */
void jsonw_text(struct jsonw *w, const char *key, const char *v); /* NULL: null */
void jsonw_i64(struct jsonw *w, const char *key, int64_t v);
void jsonw_double(struct jsonw *w, const char *key, double v); /* not finite: null */
void jsonw_bool(struct jsonw *w, const char *key, bool v);
void jsonw_null(struct jsonw *w, const char *key);
void jsonw_time(struct jsonw *w, const char *key, int64_t us); /* 0: null */
void jsonw_raw(struct jsonw *w, const char *key, struct str json);
