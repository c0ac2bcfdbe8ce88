#include "base/jsonw.h"

#include <assert.h>

#include "base/clock.h"

void jsonw_init(struct jsonw *w, struct buf *out)
{
    *w = (struct jsonw){ .out = out };
}

static void begin(struct jsonw *w, const char *key)
{
    if (w->comma)
        buf_add_byte(w->out, ',');
    w->comma = true;
    if (key) {
        buf_add_json_str(w->out, str_of(key));
        buf_add_byte(w->out, ':');
    }
}

void jsonw_open(struct jsonw *w, const char *key, char bracket)
{
    assert(w->depth < JSONW_DEPTH);
    begin(w, key);
    buf_add_byte(w->out, bracket);
    w->closers[w->depth++] = bracket == '{' ? '}' : ']';
    w->comma = false;
}

void jsonw_close(struct jsonw *w)
{
    assert(w->depth > 0);
    buf_add_byte(w->out, w->closers[--w->depth]);
    w->comma = true;
}

void jsonw_raw(struct jsonw *w, const char *key, struct str json)
{
    begin(w, key);
    buf_add_str(w->out, json);
}

void jsonw_null(struct jsonw *w, const char *key)
{
    jsonw_raw(w, key, STR("null"));
}

void jsonw_str(struct jsonw *w, const char *key, struct str v)
{
    if (!v.p) {
        jsonw_null(w, key);
        return;
    }
    begin(w, key);
    buf_add_json_str(w->out, v);
}

void jsonw_text(struct jsonw *w, const char *key, const char *v)
{
    jsonw_str(w, key, str_of(v));
}

void jsonw_i64(struct jsonw *w, const char *key, int64_t v)
{
    begin(w, key);
    buf_addf(w->out, "%lld", (long long)v);
}

void jsonw_double(struct jsonw *w, const char *key, double v)
{
    begin(w, key);
    buf_add_json_double(w->out, v);
}

void jsonw_bool(struct jsonw *w, const char *key, bool v)
{
    jsonw_raw(w, key, v ? STR("true") : STR("false"));
}

void jsonw_time(struct jsonw *w, const char *key, int64_t us)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_text(w, key, us ? clock_format(us, text) : NULL);
}
