#include "experimentd/ingest/live/live_record.h"

#include <assert.h>
#include <math.h>

#include "base/jsonw.h"
#include "base/pg.h"

enum {
    EXCERPT_BYTES = 16 * LIVE_ELEMENT_MAX, /* of blotting and replacing: at most nine bytes for one */
    KEY_SECRET_DIGITS = 64,
    KEY_SHOWN_DIGITS = 4,
    KEY_HEAD = 16
};

const char *const live_kind_names[] = {
    [LIVE_SIGNAL] = "signal",
    [LIVE_EXPOSURE] = "exposure",
    [LIVE_REJECT] = "reject",
};
static_assert(sizeof live_kind_names / sizeof *live_kind_names == LIVE_KIND_COUNT, "a name for every kind");

/* ---- filters ---- */

void live_traits_of(const struct live_item *item, struct live_traits *out)
{
    *out = (struct live_traits){ .kind = item->kind, .format = item->format };
    if (item->kind == LIVE_REJECT) {
        out->text = item->reject->element;
    } else if (item->kind == LIVE_EXPOSURE) {
        out->type = STR("exposure");
        out->unit = item->exposure->unit;
    } else {
        out->type = item->signal->type;
        out->unit = item->signal->unit;
    }
}

static bool has_word(struct str text, const char *word)
{
    return text.n && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

static bool picks_word(const char *wanted, struct str word, const struct live_traits *t)
{
    return !*wanted || (t->kind == LIVE_REJECT ? has_word(t->text, wanted) : str_eq_c(word, wanted));
}

bool live_filter_picks(const struct live_filter *f, const struct live_traits *t)
{
    if ((f->rejects_only && t->kind != LIVE_REJECT) || (f->has_format && f->format != t->format))
        return false;
    return picks_word(f->type, t->type, t) && picks_word(f->unit, t->unit, t);
}

/* ---- JSON ---- */

static void write_text(struct jsonw *w, const char *key, struct str v)
{
    if (v.p)
        jsonw_str(w, key, v.n > LIVE_TEXT_MAX ? str_cut(v, LIVE_TEXT_MAX) : v);
}

/* As sent, but for line breaks between its parts: a record is one line. */
static void write_params(struct jsonw *w, struct str params)
{
    if (!params.n)
        return;
    if (params.n > LIVE_PARAMS_MAX) {
        jsonw_str(w, "params_cut", str_cut(params, LIVE_TEXT_MAX));
        return;
    }
    size_t at = w->out->n;
    jsonw_raw(w, "params", params);
    for (; at < w->out->n; at++)
        if (w->out->p[at] == '\n' || w->out->p[at] == '\r')
            w->out->p[at] = ' ';
}

/* Why it will be left out of what is computed, as far as it tells by itself. */
static void write_mark(struct jsonw *w, enum mark mark)
{
    if (mark != MARK_NONE)
        jsonw_text(w, "mark", mark_names[mark]);
}

static void write_signal(struct jsonw *w, const struct signal *s)
{
    char id[UUID_TEXT_MAX];
    uuid_format(s->id, id);
    jsonw_text(w, "id", id);
    jsonw_str(w, "type", s->type);
    jsonw_time(w, "timestamp", s->at_us);
    write_text(w, "unit", s->unit);
    if (s->unit_is_user)
        jsonw_bool(w, "unit_is_user", true);
    write_text(w, "user", s->user);
    write_text(w, "session", s->session);
    write_text(w, "query_id", s->query_id);
    write_text(w, "query", s->query);
    write_text(w, "doc", s->doc);
    if (s->position != SIGNAL_POSITION_NONE)
        jsonw_i64(w, "position", s->position);
    if (isfinite(s->value))
        jsonw_double(w, "value", s->value);
    write_mark(w, s->mark);
    write_params(w, s->params);
}

static void write_exposure(struct jsonw *w, const struct exposure *e)
{
    write_text(w, "unit", e->unit);
    write_text(w, "experiment", e->experiment);
    write_text(w, "variant", e->variant);
    jsonw_time(w, "timestamp", e->at_us);
    if (e->dims.p)
        jsonw_raw(w, "dimensions", e->dims);
    write_mark(w, e->mark);
}

static void write_reject(struct jsonw *w, const struct live_reject *r)
{
    if (r->whole)
        jsonw_null(w, "index");
    else
        jsonw_i64(w, "index", (int64_t)r->index);
    jsonw_text(w, "reason", reject_reason_names[r->reason]);
    jsonw_str(w, "error", r->error);
    jsonw_str(w, "element", r->element);
}

void live_item_write(const struct live_item *item, uint64_t sequence, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "sequence", (int64_t)sequence);
    jsonw_time(&w, "received_at", item->received_us);
    jsonw_text(&w, "kind", live_kind_names[item->kind]);
    jsonw_text(&w, "format", signal_format_names[item->format]);
    jsonw_text(&w, "route", item->route);
    jsonw_open(&w, "key", '{');
    jsonw_str(&w, "label", item->key_label);
    jsonw_str(&w, "prefix", item->key_prefix);
    jsonw_close(&w);
    jsonw_open(&w, live_kind_names[item->kind], '{');
    if (item->kind == LIVE_SIGNAL)
        write_signal(&w, item->signal);
    else if (item->kind == LIVE_EXPOSURE)
        write_exposure(&w, item->exposure);
    else
        write_reject(&w, item->reject);
    jsonw_close(&w);
    jsonw_close(&w);
}

/* ---- what was refused ---- */

/* How many bytes from here on are the key's, from its first on; at least KEY_HEAD: an error's text may hold the beginning of a key. */
static size_t key_at(struct str text, struct str key)
{
    size_t n = 0;
    while (n < text.n && n < key.n && text.p[n] == key.p[n])
        n++;
    return n == key.n || n >= KEY_HEAD ? n : 0;
}

/* The first LIVE_ELEMENT_MAX bytes; a key that begins there is blotted out whole, so the text has to reach a key's length further. */
static void add_without_key(struct buf *b, struct str text, struct str key)
{
    size_t end = str_cut(text, LIVE_ELEMENT_MAX).n, from = 0;
    for (size_t at = 0; key.n && at < end; at++) {
        size_t n = key_at((struct str){ text.p + at, text.n - at }, key);
        if (!n)
            continue;
        buf_add(b, text.p + from, at - from);
        buf_add_c(b, "(the key)");
        from = at + n;
        at = from - 1;
    }
    if (from < end)
        buf_add(b, text.p + from, end - from);
}

static void add_replaced(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x80 && text.p[i])
            buf_add_byte(b, text.p[i]);
        else
            buf_add_c(b, "\xef\xbf\xbd");
    }
}

struct str live_excerpt(struct arena *arena, struct str text, struct str key)
{
    struct buf clean, out;
    buf_init(&clean, EXCERPT_BYTES);
    buf_init(&out, EXCERPT_BYTES);
    add_without_key(&clean, str_cut(text, LIVE_ELEMENT_MAX + key.n), key);
    if (str_is_utf8(buf_str(&clean)))
        buf_add_str(&out, buf_str(&clean));
    else
        add_replaced(&out, buf_str(&clean));
    struct str kept = arena_str(arena, buf_str(&out));
    buf_release(&clean);
    buf_release(&out);
    return kept;
}

/* Ends the writing once there is enough. */
static int on_piece(const char *bytes, size_t n, void *arg)
{
    struct buf *b = arg;
    size_t room = b->limit_bytes - b->n;
    buf_add(b, bytes, n < room ? n : room);
    return n < room ? 0 : -1;
}

struct str live_excerpt_json(struct arena *arena, const json_t *element, struct str key)
{
    struct buf b;
    buf_init(&b, 2 * (LIVE_ELEMENT_MAX + key.n));
    (void)json_dump_callback(element, on_piece, &b, JSON_COMPACT | JSON_ENCODE_ANY);
    struct str shown = live_excerpt(arena, buf_str(&b), key);
    buf_release(&b);
    return shown;
}

struct str live_key_prefix(struct str key)
{
    if (!str_starts(key, STR("xd_")) || key.n <= KEY_SECRET_DIGITS)
        return (struct str){ NULL, 0 };
    return (struct str){ key.p, key.n - KEY_SECRET_DIGITS + KEY_SHOWN_DIGITS };
}
