/* Queries as splits: of each search that is asked, as many as it may be asked at once, at most SPLITS_MAX; each asks its share at once. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "trainer/jobs/evaluation.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/searches/replay.h"

enum { SPLITS_MAX = 8, CA_BYTES_MAX = 4 << 20, PARAMS_MAX = 64 << 20 };

struct replay_plan {
    struct evaluation *e;
    struct buf params, ca;
    struct engine_split *splits;
    size_t *search_of; /* of each split */
    uint32_t count;
};

static bool read_ca(struct replay_plan *p, struct err *err)
{
    const char *path = p->e->run->search_ca;
    char bytes[4096];
    ssize_t got;
    if (!*path)
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "cannot read \"%s\", which setting \"search.ca_file\" names", path);
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(&p->ca, bytes, (size_t)got);
    (void)close(fd);
    return got == 0 ? buf_ok(&p->ca, "the file of setting \"search.ca_file\"", err)
                    : err_set_errno(err, "cannot read \"%s\"", path);
}

/* How many splits a search has. */
static uint32_t splits_of(const struct evaluation *e)
{
    uint64_t at_once = (uint64_t)run_whole(e->run, "at_once"), most = at_once < SPLITS_MAX ? at_once : SPLITS_MAX;
    return (uint32_t)(e->queries.count < most ? e->queries.count : most);
}

static void write_search(struct replay_plan *p, struct jsonw *w, const struct evaluation_search *s)
{
    const struct run_context *run = p->e->run;
    jsonw_open(w, NULL, '{');
    jsonw_raw(w, "spec", s->spec);
    jsonw_open(w, "headers", '[');
    for (size_t i = 0; i < s->config.headers_count; i++) {
        const struct search_header *h = &s->config.headers[i];
        jsonw_str(w, NULL, arena_printf(&p->e->arena, STR_FMT ": " STR_FMT, STR_ARG(h->name), STR_ARG(h->value)));
    }
    for (size_t i = 0; i < s->secrets_count; i++)
        jsonw_str(w, NULL, s->secrets[i]);
    jsonw_close(w);
    jsonw_str(w, "ca", buf_str(&p->ca));
    jsonw_i64(w, "k", (int64_t)p->e->k);
    jsonw_i64(w, "at_once", run_whole(run, "at_once") / splits_of(p->e));
    jsonw_i64(w, "tries", run_whole(run, "tries"));
    jsonw_i64(w, "timeout_s", run_whole(run, "timeout_seconds"));
    jsonw_i64(w, "max_bytes", run_whole(run, "answer_mb") << 20);
    jsonw_close(w);
}

static bool write_params(struct replay_plan *p, struct err *err)
{
    struct jsonw w;
    jsonw_init(&w, &p->params);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < p->e->searches_count; i++)
        write_search(p, &w, &p->e->searches[i]);
    jsonw_close(&w);
    return buf_ok(&p->params, "what workers are told of searches", err);
}

/* Every n-th query from the first one on: heads and tails of a sorted set are spread. */
static bool write_split(struct replay_plan *p, size_t search, uint32_t first, uint32_t step, struct err *err)
{
    const struct evaluation *e = p->e;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, PARAMS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "spec", (int64_t)search);
    jsonw_open(&w, "queries", '[');
    for (size_t i = first; i < e->queries.count; i += step) {
        jsonw_open(&w, NULL, '[');
        jsonw_i64(&w, NULL, (int64_t)i);
        jsonw_str(&w, NULL, e->queries.queries[i].text);
        if (e->queries.queries[i].params.p)
            jsonw_raw(&w, NULL, e->queries.queries[i].params);
        else
            jsonw_null(&w, NULL);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    if (!buf_ok(&b, "the queries of a split", err))
        return false;
    p->search_of[p->count] = search;
    p->splits[p->count++] = (struct engine_split){ .desc = arena_str(&p->e->arena, buf_str(&b)),
                                                   .weight = (e->queries.count - first + step - 1) / step };
    return true;
}

static bool make_splits(struct replay_plan *p, struct err *err)
{
    struct evaluation *e = p->e;
    uint32_t each = splits_of(e);
    p->splits = arena_zalloc(&e->arena, e->searches_count * each * sizeof *p->splits);
    p->search_of = arena_zalloc(&e->arena, e->searches_count * each * sizeof *p->search_of);
    for (size_t s = 0; s < e->searches_count; s++)
        for (uint32_t i = 0; e->searches[s].config.engine != SEARCH_RUN && i < each; i++)
            if (!write_split(p, s, i, each, err))
                return false;
    return true;
}

/* ---- what came back ---- */

static bool take_list(struct evaluation *e, size_t search, struct str *in)
{
    struct replay_head head;
    struct str error, doc;
    if (!record_take(in, &head, sizeof head) || head.query >= e->queries.count || head.docs > e->k ||
        !record_take_text(in, &error))
        return false;
    struct evaluation_list *l = evaluation_list(e, search, head.query);
    l->error = error.n ? arena_str(&e->arena, error) : (struct str){ NULL, 0 };
    l->docs = arena_alloc(&e->arena, (head.docs + 1) * sizeof *l->docs);
    for (l->count = 0; l->count < head.docs; l->count++) {
        if (!record_take_text(in, &doc))
            return false;
        l->docs[l->count] = arena_str(&e->arena, doc);
    }
    e->searches[search].repeated += head.repeated;
    return true;
}

static bool take_all(struct replay_plan *p, const struct engine_result *r, struct err *err)
{
    for (uint32_t i = 0; i < r->count; i++)
        for (struct str in = buf_str(&r->parts[i]); in.n;)
            if (!take_list(p->e, p->search_of[i], &in))
                return err_set(err, ERR_SYSTEM, "what a worker sent of answers is damaged");
    return true;
}

static bool replay(struct replay_plan *p, struct err *err)
{
    struct engine_result result;
    if (!read_ca(p, err) || !write_params(p, err) || !make_splits(p, err))
        return false;
    if (p->count == 0)
        return true; /* all lists were brought */
    const struct engine_pass pass = { .name = "queries",
                                      .kernel = REPLAY_KERNEL,
                                      .params = buf_str(&p->params),
                                      .splits = p->splits,
                                      .splits_count = p->count,
                                      .input_pass = -1,
                                      .out = ENGINE_COLLECT };
    if (!run_pass(p->e->run, &pass, &result, err))
        return false;
    bool ok = take_all(p, &result, err);
    engine_result_release(&result);
    return ok;
}

bool evaluation_replay(struct evaluation *e, struct err *err)
{
    struct replay_plan p = { .e = e };
    buf_init(&p.params, PARAMS_MAX);
    buf_init(&p.ca, CA_BYTES_MAX);
    bool ok = replay(&p, err);
    buf_release(&p.params);
    buf_release(&p.ca);
    return ok;
}
