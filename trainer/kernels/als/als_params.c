#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/als/als.h"

enum { JSON_MAX = 1024 };

static bool is(struct str given, const char *one, const char *other, const char *what, bool *out, struct err *err)
{
    *out = str_eq_c(given, one);
    return *out || str_eq_c(given, other) ||
           err_set(err, ERR_INVALID, "params: \"%s\" is neither \"%s\" nor \"%s\"", what, one, other);
}

bool als_params_read(struct str json, struct als_params *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct str side = { NULL, 0 }, solver = { NULL, 0 };
    int64_t rank = 0, steps = 0;
    bool cholesky;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct als_params){ .items = false };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "side", JSON_REQUIRED, &side, arena);
    (void)json_get_i64(&r, "rank", JSON_REQUIRED, &rank);
    (void)json_get_str(&r, "solver", JSON_REQUIRED, &solver, arena);
    (void)json_get_i64(&r, "cg_steps", JSON_REQUIRED, &steps);
    (void)json_get_double(&r, "alpha", JSON_REQUIRED, &out->rules.alpha);
    (void)json_get_double(&r, "lambda", JSON_REQUIRED, &out->rules.lambda);
    if (!json_reader_close(&r, err) || !is(side, "items", "units", "side", &out->items, err) ||
        !is(solver, "cholesky", "cg", "solver", &cholesky, err))
        return false;
    if (rank < 1 || rank > ALS_RANK_MAX || steps < 1 || !(out->rules.alpha > 0) || !(out->rules.lambda > 0))
        return err_set(err, ERR_INVALID, "params: no rank, steps, alpha and lambda to train with");
    out->rules.rank = (uint32_t)rank;
    out->rules.cg_steps = (uint32_t)steps;
    out->rules.solver = cholesky ? ALS_CHOLESKY : ALS_CG;
    return true;
}

bool als_params_write(const struct als_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "side", p->items ? "items" : "units");
    jsonw_i64(&w, "rank", p->rules.rank);
    jsonw_text(&w, "solver", p->rules.solver == ALS_CHOLESKY ? "cholesky" : "cg");
    jsonw_i64(&w, "cg_steps", p->rules.cg_steps);
    jsonw_double(&w, "alpha", p->rules.alpha);
    jsonw_double(&w, "lambda", p->rules.lambda);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}
