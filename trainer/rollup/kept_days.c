#include "trainer/rollup/kept_days.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/changes.h"
#include "archive/kept.h"
#include "archive/store.h"
#include "base/hash.h"
#include "base/log.h"
#include "trainer/engine/spool.h"

enum { KEY_TEXT_MAX = 64 << 20 };

struct kept_days {
    const struct kept_rules *rules;
    const char *dir;
    struct arena arena;
    struct changes changes;
    struct archive_entry *files;
    size_t files_count;
    unsigned char program[KEPT_PROGRAM_BYTES];
    char **paths; /* of each split */
    bool *there;
    uint32_t splits;
    size_t found;
    struct pg *pg;
    bool failed; /* nothing more is kept */
};

/* ---- names ---- */

static void hash_program(struct kept_days *k)
{
    crypto_generichash_state h;
    const struct kept_rules *r = k->rules;
    const char *parts[] = { EXPERIMENTD_VERSION, r->kernel, r->neighbours ? "neighbours" : "head",
                            k->changes.origin.p };
    unsigned char out[crypto_generichash_BYTES];
    (void)crypto_generichash_init(&h, NULL, 0, sizeof out);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        (void)crypto_generichash_update(&h, (const unsigned char *)parts[i], strlen(parts[i]) + 1);
    (void)crypto_generichash_update(&h, (const unsigned char *)&r->parts, sizeof r->parts);
    (void)crypto_generichash_update(&h, (const unsigned char *)r->program.p, r->program.n);
    (void)crypto_generichash_final(&h, out, sizeof out);
    memcpy(k->program, out, sizeof k->program);
}

/* What the rows of one day are, of which a data set depends on all or on the head. */
static void add_day(const struct kept_days *k, struct buf *b, const struct kept_name *n, int32_t day, bool whole)
{
    struct change c = changes_of(&k->changes, day, n->lo, n->hi);
    buf_addf(b, "|%d %llu %llu", day, (unsigned long long)c.head, whole ? (unsigned long long)c.rest : 0);
    for (size_t i = 0; i < k->files_count; i++) {
        const struct archive_entry *f = &k->files[i];
        if (f->day == day && f->bucket_lo <= n->hi && f->bucket_hi >= n->lo)
            buf_addf(b, " " STR_FMT, STR_ARG(f->path));
    }
}

static bool name_split(struct kept_days *k, uint32_t split, struct buf *scratch, struct err *err)
{
    const struct kept_rules *r = k->rules;
    uint32_t width = BUCKET_COUNT / r->ranges, range = split % r->ranges;
    struct kept_name n = { .day = r->days[split / r->ranges], .lo = range * width, .hi = (range + 1) * width - 1 };
    memcpy(n.program, k->program, sizeof n.program);
    buf_clear(scratch);
    buf_addf(scratch, "%d %u %u %llu", n.day, n.lo, n.hi, (unsigned long long)k->changes.unknown);
    if (r->neighbours)
        add_day(k, scratch, &n, n.day - 1, true);
    add_day(k, scratch, &n, n.day, true);
    add_day(k, scratch, &n, n.day + 1, r->neighbours);
    if (!buf_ok(scratch, "what a data set depends on", err))
        return false;
    (void)crypto_generichash(n.key, sizeof n.key, (const unsigned char *)scratch->p, scratch->n, k->program,
                             sizeof k->program);
    k->paths[split] = kept_path(k->dir, &n);
    return true;
}

static bool find_all(struct kept_days *k, struct err *err)
{
    AUTO(buf_release) struct buf scratch;
    buf_init(&scratch, KEY_TEXT_MAX);
    for (uint32_t i = 0; i < k->splits; i++) {
        unsigned char hash[SPOOL_HASH_BYTES];
        if (!name_split(k, i, &scratch, err))
            return false;
        k->there[i] = spool_whole(k->paths[i], k->rules->parts ? k->rules->parts : 1, hash);
        k->found += k->there[i];
        if (k->there[i])
            kept_use(k->paths[i]);
        else
            (void)unlink(k->paths[i]); /* what is there all the same is no whole file */
    }
    return true;
}

struct kept_days *kept_days_open(struct pg *pg, const char *dir, const struct kept_rules *rules, struct err *err)
{
    AUTO(kept_days_free) struct kept_days *k = mem_zalloc(sizeof *k);
    k->pg = pg;
    k->rules = rules;
    k->dir = dir;
    k->splits = (uint32_t)rules->days_count * rules->ranges;
    k->paths = mem_zalloc((k->splits + 1) * sizeof *k->paths);
    k->there = mem_zalloc((k->splits + 1) * sizeof *k->there);
    arena_init(&k->arena, 1 << 14);
    if (!kept_make(dir, err) || !changes_read(pg, &k->arena, &k->changes, err))
        return NULL;
    hash_program(k);
    if (!archive_store_list(pg, NULL, INT32_MIN, INT32_MAX, 0, BUCKET_COUNT - 1, &k->arena, &k->files, &k->files_count,
                            err) ||
        !find_all(k, err))
        return NULL;
    return TAKE(k);
}

void kept_days_free(struct kept_days *k)
{
    if (!k)
        return;
    for (uint32_t i = 0; i < k->splits; i++)
        mem_free(k->paths[i]);
    mem_free(k->paths);
    mem_free(k->there);
    arena_release(&k->arena);
    mem_free(k);
}

const char *kept_days_find(const struct kept_days *k, uint32_t split)
{
    return k->there[split] ? k->paths[split] : NULL;
}

struct str kept_days_seen(const struct kept_days *k, uint32_t split)
{
    const char *slash = strrchr(k->paths[split], '/');
    return str_of(slash ? slash + 1 : k->paths[split]);
}

size_t kept_days_found(const struct kept_days *k)
{
    return k->found;
}

/* ---- keeping ---- */

void kept_days_add(void *kept, uint32_t split, const char *path)
{
    struct kept_days *k = kept;
    struct err err;
    if (k->there[split] || k->failed)
        return;
    k->failed = !pg_exec(k->pg, "select 1", &err) || !kept_add(path, k->paths[split], &err);
    if (k->failed)
        log_warn("days_not_kept", LOG_ERR, LOG_ERR_ARG(&err)); /* the next would fail as well */
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

void kept_days_sweep(const struct kept_days *k)
{
    char **sorted = mem_alloc((k->splits + 1) * sizeof *sorted);
    memcpy(sorted, k->paths, k->splits * sizeof *sorted);
    qsort(sorted, k->splits, sizeof *sorted, by_text);
    if (k->splits)
        (void)kept_sweep(k->dir, &(struct kept_used){ .program = k->program,
                                                      .from = k->rules->days[0],
                                                      .to = k->rules->days[k->rules->days_count - 1],
                                                      .paths = sorted,
                                                      .count = k->splits });
    mem_free(sorted);
}

void kept_days_distrust(struct kept_days *k)
{
    for (uint32_t i = 0; i < k->splits; i++)
        if (k->there[i]) {
            (void)unlink(k->paths[i]);
            k->there[i] = false;
        }
    k->found = 0;
}
