#include "experimentd/interleave/impression.h"

#include <math.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/jsonw.h"

enum { FRAME_MAX = 1024 }; /* bytes of params besides its lists: names of members, experiment, method, length */

static void add_owner(struct buf *b, const struct str *variants, int owner)
{
    if (owner == INTERLEAVE_NEUTRAL)
        buf_add_c(b, "null");
    else
        buf_add_json_str(b, variants[owner]);
}

/* Each text goes in with its length, so that no two pairs make the same bytes. */
static void make_id(struct str experiment, struct str query_id, unsigned char out[16])
{
    const struct str texts[] = { STR("interleave"), experiment, query_id };
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, 16);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        uint64_t n = texts[i].n;
        (void)crypto_generichash_update(&state, (const unsigned char *)&n, sizeof n);
        (void)crypto_generichash_update(&state, (const unsigned char *)texts[i].p, texts[i].n);
    }
    (void)crypto_generichash_final(&state, out, 16);
}

/* ---- params ---- */

enum column { DOCS, OWNERS, EXTRA, COLUMN_COUNT };
struct columns {
    struct buf bufs[COLUMN_COUNT];
    uint16_t (*ranks)[2]; /* balanced: by document */
};

/* What a method's credit needs besides owners, or NULL. */
static const char *extra_name(enum interleave_method method)
{
    return method == INTERLEAVE_OPTIMIZED ? "credit" : method == INTERLEAVE_BALANCED ? "ranks" : NULL;
}

static void *ranks_of(const struct interleave_rankings *r, struct arena *arena)
{
    uint16_t(*ranks)[2] = arena_zalloc(arena, (r->docs_count + 1) * sizeof *ranks);
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < r->lengths[t]; i++)
            ranks[r->docs[t][i]][t] = (uint16_t)(i + 1);
    return ranks;
}

static void add_position(struct columns *c, const struct impression *im, size_t i)
{
    int32_t doc = im->list->docs[i];
    for (size_t k = 0; i > 0 && k < COLUMN_COUNT; k++)
        buf_add_byte(&c->bufs[k], ',');
    buf_add_json_str(&c->bufs[DOCS], im->docs->texts[doc]);
    add_owner(&c->bufs[OWNERS], im->variants, im->list->owners[i]);
    if (im->method == INTERLEAVE_OPTIMIZED)
        buf_add_json_double(&c->bufs[EXTRA], im->list->credit[i]);
    else if (im->method == INTERLEAVE_BALANCED)
        buf_addf(&c->bufs[EXTRA], "[%u,%u]", c->ranks[doc][0], c->ranks[doc][1]);
}

static size_t bytes_of(const struct columns *c)
{
    size_t n = 0;
    for (size_t k = 0; k < COLUMN_COUNT; k++)
        n += c->bufs[k].n;
    return n;
}

/* Positions as long as they fit. */
static void add_positions(struct columns *c, const struct impression *im)
{
    for (size_t i = 0; i < im->list->n; i++) {
        size_t before[COLUMN_COUNT];
        for (size_t k = 0; k < COLUMN_COUNT; k++)
            before[k] = c->bufs[k].n;
        add_position(c, im, i);
        if (bytes_of(c) <= SIGNAL_PARAMS_MAX - FRAME_MAX)
            continue;
        for (size_t k = 0; k < COLUMN_COUNT; k++)
            c->bufs[k].n = before[k];
        return;
    }
}

static void write_column(struct jsonw *w, const char *name, const struct buf *b)
{
    jsonw_open(w, name, '[');
    if (b->n)
        jsonw_raw(w, NULL, buf_str(b));
    jsonw_close(w);
}

static struct str write_params(const struct impression *im, const struct columns *c, struct arena *arena)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, SIGNAL_PARAMS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "experiment", im->experiment);
    jsonw_text(&w, "method", interleave_method_names[im->method]);
    jsonw_i64(&w, "length", (int64_t)im->list->n);
    write_column(&w, "docs", &c->bufs[DOCS]);
    write_column(&w, "owners", &c->bufs[OWNERS]);
    if (extra_name(im->method))
        write_column(&w, extra_name(im->method), &c->bufs[EXTRA]);
    jsonw_close(&w);
    struct str out = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return out;
}

static struct str make_params(const struct impression *im, struct arena *arena)
{
    struct columns c;
    for (size_t k = 0; k < COLUMN_COUNT; k++)
        buf_init(&c.bufs[k], (size_t)2 * SIGNAL_PARAMS_MAX);
    c.ranks = im->method == INTERLEAVE_BALANCED ? ranks_of(&im->docs->rankings, arena) : NULL;
    add_positions(&c, im);
    struct str out = write_params(im, &c, arena);
    for (size_t k = 0; k < COLUMN_COUNT; k++)
        buf_release(&c.bufs[k]);
    return out;
}

void impression_signal(const struct impression *im, const struct interleave_request *q, struct arena *arena,
                       struct signal *out)
{
    int64_t now = clock_now_us();
    *out = (struct signal){ .client_id = true,
                            .at_us = now,
                            .received_us = now,
                            .type = STR("interleave"),
                            .unit = q->unit,
                            .query_id = q->query_id,
                            .value = NAN,
                            .params = make_params(im, arena) };
    make_id(im->experiment, q->query_id, out->id);
}
