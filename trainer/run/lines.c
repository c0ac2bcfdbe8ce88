#include "trainer/run/lines.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/run/row.h"

enum { SOURCE_MAX = 24 };

struct line {
    int64_t seq, at_us;
    char source[SOURCE_MAX];
    char *text;
};

struct lines {
    pthread_mutex_t lock;
    struct line list[LINES_MAX]; /* a ring: `first`, and `count` of them */
    size_t first, count, peeked;
    int64_t said;
};

struct lines *lines_new(int64_t said)
{
    struct lines *l = mem_zalloc(sizeof *l);
    (void)pthread_mutex_init(&l->lock, NULL);
    l->said = said;
    return l;
}

static void drop_first(struct lines *l)
{
    mem_free(l->list[l->first].text);
    l->list[l->first].text = NULL;
    l->first = (l->first + 1) % LINES_MAX;
    l->count--;
}

void lines_free(struct lines *l)
{
    if (!l)
        return;
    while (l->count)
        drop_first(l);
    (void)pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

static char *storable(struct str text)
{
    bool utf8 = str_is_utf8(text);
    struct str cut = str_cut(text, LINE_BYTES);
    char *out = mem_strndup(cut.p, cut.n);
    for (size_t i = 0; i < cut.n; i++) {
        unsigned char c = (unsigned char)out[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f || (!utf8 && c >= 0x80))
            out[i] = '?';
    }
    return out;
}

void lines_add(struct lines *l, const char *source, struct str text, int64_t at_us)
{
    (void)pthread_mutex_lock(&l->lock);
    int64_t seq = ++l->said;
    if (seq <= LINES_MAX && l->count < LINES_MAX) {
        struct line *line = &l->list[(l->first + l->count++) % LINES_MAX];
        *line = (struct line){ .seq = seq, .at_us = at_us, .text = storable(text) };
        (void)snprintf(line->source, sizeof line->source, "%s", source);
    }
    (void)pthread_mutex_unlock(&l->lock);
}

bool lines_peek(struct lines *l, struct buf *out)
{
    struct jsonw w;
    buf_clear(out);
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '[');
    (void)pthread_mutex_lock(&l->lock);
    l->peeked = l->count < LINES_BATCH ? l->count : LINES_BATCH;
    for (size_t i = 0; i < l->peeked; i++) {
        const struct line *line = &l->list[(l->first + i) % LINES_MAX];
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "seq", line->seq);
        jsonw_time(&w, "at", line->at_us);
        jsonw_text(&w, "source", line->source);
        jsonw_text(&w, "line", line->text);
        jsonw_close(&w);
    }
    bool any = l->peeked > 0;
    (void)pthread_mutex_unlock(&l->lock);
    jsonw_close(&w);
    return any;
}

void lines_taken(struct lines *l)
{
    (void)pthread_mutex_lock(&l->lock);
    for (; l->peeked; l->peeked--)
        drop_first(l);
    (void)pthread_mutex_unlock(&l->lock);
}

int64_t lines_said(struct lines *l)
{
    (void)pthread_mutex_lock(&l->lock);
    int64_t said = l->said;
    (void)pthread_mutex_unlock(&l->lock);
    return said;
}

bool lines_store(struct lines *l, struct pg *pg, const struct row *row, struct err *err)
{
    AUTO(buf_release) struct buf batch;
    buf_init(&batch, LINES_BATCH_BYTES);
    for (bool any = true; any;) {
        any = lines_peek(l, &batch);
        if (!row_add_lines(pg, row, buf_str(&batch), lines_said(l), err))
            return false;
        lines_taken(l);
    }
    return true;
}
