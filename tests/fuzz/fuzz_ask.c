/* What clients ask and report. What one reader takes must hold what its header promises. */
#include <stdlib.h>

#include "base/clock.h"
#include "experimentd/evaluate/ask.h"
#include "experimentd/front/read.h"
#include "experimentd/ingest/formats/elements.h"
#include "experimentd/ingest/formats/exposures.h"

static struct snapshot_variant variants[] = { { .key = { "a", 1 } }, { .key = { "b", 1 } } };
static struct snapshot_experiment experiment = {
    .key = { "x", 1 }, .variants = variants, .variants_count = 2, .status = EXPERIMENT_RUNNING
};
static const struct snapshot snapshot = { .experiments = &experiment, .experiments_count = 1 };

static void check_assign(struct http_request *req)
{
    struct ask *asks;
    size_t n;
    bool many;
    struct err err;
    if (!asks_read(req, &asks, &n, &many, &err)) {
        if (err.kind == ERR_NONE)
            abort();
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (!asks[i].unit.n || !str_is_utf8(asks[i].unit))
            abort();
}

static void check_front(struct http_request *req)
{
    struct ofrep_ask flags;
    struct remote_ask remote = { .url = { NULL, 0 } };
    const char *code;
    struct err err;
    if (!ofrep_read(req, &flags, &code, &err) && (!code || err.kind == ERR_NONE))
        abort();
    if (remote_read(req, &remote, &err) && remote.attributes.count > REMOTE_ENTRIES_MAX)
        abort();
}

static bool take(void *arg, size_t index, struct str text)
{
    struct exposure x;
    struct err err;
    (void)index;
    if (exposure_parse(arg, text, &x, &err) && !(x.unit.n && str_eq(x.experiment, experiment.key) && x.variant.n == 1))
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct http_request req = { .body = { (const char *)data, n }, .scope = SCOPE_QA };
    struct err err;
    bool single;
    arena_init(&req.arena, 4096);
    check_assign(&req);
    check_front(&req);
    struct exposure_reader reader = { &snapshot, SCOPE_CLIENT, INT64_C(1790000000000000), &req.arena };
    (void)!elements_read(req.body, "exposures", EXPOSURES_PER_REQUEST_MAX, &req.arena, take, &reader, &single, &err);
    arena_release(&req.arena);
    return 0;
}
