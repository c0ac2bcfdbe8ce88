#include "experimentd/evaluate/sticky.h"

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/ingest/signal.h"
#include "experimentd/queries.h"

/* Bytes of a statement's parameter: a request's units and their attributes; beyond it they are hashed. */
enum { PARAMETER_MAX = 16 << 20 };

struct sticky {
    struct pgloop *pg;
    struct sticky_cache *cache;
    _Atomic uint64_t *unavailable;
};

/* One statement under way; in the request's arena. */
struct call {
    struct sticky *s;
    struct arena *arena;
    struct sticky_doc *docs; /* of a read */
    bool *missing;
    struct sticky_change *changes; /* of a write */
    bool refused;
    size_t n;
    sticky_fn ready;
    void *arg;
};

struct sticky *sticky_new(struct pgloop *pg, _Atomic uint64_t *unavailable)
{
    struct sticky *s = mem_zalloc(sizeof *s);
    s->pg = pg;
    s->unavailable = unavailable;
    s->cache = sticky_cache_new();
    return s;
}

void sticky_free(struct sticky *s)
{
    if (s)
        sticky_cache_free(s->cache);
    mem_free(s);
}

static void count_unavailable(struct sticky *s)
{
    atomic_fetch_add_explicit(s->unavailable, 1, memory_order_relaxed);
}

static bool storable(struct str attribute, struct str value)
{
    return value.n > 0 && value.n <= SIGNAL_UNIT_MAX && str_is_utf8(value) && str_is_utf8(attribute);
}

static void run(struct call *c, const struct pg_stmt *stmt, const struct buf *parameter, pgloop_fn fn)
{
    const char *params[] = { parameter->p };
    pgloop_run(c->s->pg, stmt, params, fn, c);
}

/* ---- rows: attribute, value, experiment, variant; sorted by the first three, bytewise ---- */

static struct sticky_item item_of(const PGresult *r, int row, struct arena *arena)
{
    return (struct sticky_item){ arena_str(arena, pg_get(r, row, 2)), arena_str(arena, pg_get(r, row, 3)) };
}

static int order(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

/* Compares as many columns of the row as there are keys. */
static int order_row(const PGresult *r, int row, const struct str *keys, int n)
{
    int d = 0;
    for (int i = 0; i < n && d == 0; i++)
        d = order(pg_get(r, row, i), keys[i]);
    return d;
}

static int first_row(const PGresult *r, const struct str *keys, int n)
{
    int lo = 0, hi = PQntuples(r);
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        if (order_row(r, mid, keys, n) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* ---- reading ---- */

static void fill(struct call *c, struct sticky_doc *d, const PGresult *r)
{
    const struct str keys[] = { d->attribute, d->value };
    int first = first_row(r, keys, 2), end = first;
    while (end < PQntuples(r) && order_row(r, end, keys, 2) == 0)
        end++;
    d->items = arena_alloc(c->arena, (size_t)(end - first + 1) * sizeof *d->items);
    for (d->n = 0; first < end; first++)
        d->items[d->n++] = item_of(r, first, c->arena);
    sticky_cache_put(c->s->cache, d, clock_now_us());
}

static void on_read(void *arg, const PGresult *r, const struct err *err)
{
    struct call *c = arg;
    if (err)
        count_unavailable(c->s);
    for (size_t i = 0; i < c->n && !err; i++)
        if (c->missing[i])
            fill(c, &c->docs[i], r);
    c->ready(c->arg, !err);
}

static void write_keys(struct buf *b, const struct sticky_doc *docs, const bool *missing, size_t n)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        if (!missing[i])
            continue;
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "a", docs[i].attribute);
        jsonw_str(&w, "v", docs[i].value);
        jsonw_close(&w);
    }
    jsonw_close(&w);
}

void sticky_read(struct sticky *s, struct sticky_doc *docs, size_t n, struct arena *arena, sticky_fn ready, void *arg)
{
    struct call *c = arena_zalloc(arena, sizeof *c);
    size_t missing = 0;
    *c = (struct call){ .s = s, .arena = arena, .docs = docs, .n = n, .ready = ready, .arg = arg };
    c->missing = arena_zalloc(arena, (n + 1) * sizeof *c->missing);
    for (size_t i = 0; i < n; i++) {
        docs[i].n = 0;
        c->missing[i] = storable(docs[i].attribute, docs[i].value) &&
                        sticky_cache_get(s->cache, &docs[i], clock_now_us(), arena) != STICKY_FRESH;
        missing += c->missing[i];
    }
    if (!missing) {
        ready(arg, true);
        return;
    }
    struct buf b;
    buf_init(&b, PARAMETER_MAX);
    write_keys(&b, docs, c->missing, n);
    if (b.failed) {
        count_unavailable(s);
        ready(arg, false);
    } else {
        run(c, &queries[QUERY_STICKY_READ], &b, on_read);
    }
    buf_release(&b);
}

/* ---- writing ---- */

static void take_over(struct call *c, struct sticky_change *x, const PGresult *r)
{
    const struct str keys[] = { x->attribute, x->value, x->item.experiment };
    int row = first_row(r, keys, 3);
    if (row == PQntuples(r) || order_row(r, row, keys, 3) != 0)
        return; /* could not be stored */
    x->item = item_of(r, row, c->arena);
    sticky_cache_add(c->s->cache, x->attribute, x->value, x->item);
}

static void on_written(void *arg, const PGresult *r, const struct err *err)
{
    struct call *c = arg;
    bool stored = !err && !c->refused;
    if (!stored)
        count_unavailable(c->s);
    for (size_t i = 0; i < c->n && stored; i++)
        take_over(c, &c->changes[i], r);
    c->ready(c->arg, stored);
}

static void write_changes(struct buf *b, const struct sticky_change *changes, size_t n)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        const struct sticky_change *x = &changes[i];
        if (!storable(x->attribute, x->value))
            continue;
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "a", x->attribute);
        jsonw_str(&w, "v", x->value);
        jsonw_str(&w, "e", x->item.experiment);
        jsonw_str(&w, "n", x->item.variant);
        jsonw_str(&w, "o", x->was);
        jsonw_close(&w);
    }
    jsonw_close(&w);
}

void sticky_write(struct sticky *s, struct sticky_change *changes, size_t n, struct arena *arena, sticky_fn ready,
                  void *arg)
{
    struct call *c = arena_zalloc(arena, sizeof *c);
    struct buf b;
    *c = (struct call){ .s = s, .arena = arena, .changes = changes, .n = n, .ready = ready, .arg = arg };
    buf_init(&b, PARAMETER_MAX);
    write_changes(&b, changes, n);
    if (b.failed) { /* answered on a later turn like the others, so an empty list goes */
        c->refused = true;
        buf_clear(&b);
        buf_add_c(&b, "[]");
    }
    run(c, &queries[QUERY_STICKY_WRITE], &b, on_written);
    buf_release(&b);
}
