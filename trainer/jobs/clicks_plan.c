#include "trainer/jobs/clicks_plan.h"

#include "base/jsonw.h"

enum { TYPE_MAX = 64, FIELD_MAX = 100 };
#define HALF_LIFE_MIN 0.25

static bool is_name(struct str s, size_t max)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_.-", s.p[i])))
            return false;
    return s.n > 0 && s.n <= max;
}

/* Into its place in the order of names: the order in which they were given says nothing. */
static bool add_type(struct click_rules *r, struct str name, double weight)
{
    uint32_t i = r->types_count;
    for (; i > 0; i--) {
        size_t n = name.n < r->types[i - 1].n ? name.n : r->types[i - 1].n;
        int d = memcmp(name.p, r->types[i - 1].p, n);
        if (d == 0 && name.n == r->types[i - 1].n)
            return false;
        if (d > 0 || (d == 0 && name.n > r->types[i - 1].n))
            break;
        r->types[i] = r->types[i - 1];
        r->weights[i] = r->weights[i - 1];
    }
    r->types[i] = name;
    r->weights[i] = weight;
    r->types_count++;
    return true;
}

/* "click=1,cart=10" */
static bool read_weights(struct click_rules *rules, const char *text, struct err *err)
{
    struct str rest = str_of(text), pair, name;
    while (str_split(&rest, ',', &pair)) {
        double weight;
        if (!str_split(&pair, '=', &name) || !is_name(name, TYPE_MAX) || !parse_double(pair, &weight, NULL) ||
            !(weight >= 0 && weight <= CLICK_WEIGHT_MAX))
            return err_set(err, ERR_INVALID,
                           "--param weights=%s: must be like click=1,cart=10, each weight from 0 to %g", text,
                           CLICK_WEIGHT_MAX);
        if (rules->types_count == CLICK_TYPES_MAX || !add_type(rules, name, weight))
            return err_set(err, ERR_INVALID, "--param weights=%s: names a type twice, or more than %d", text,
                           CLICK_TYPES_MAX);
    }
    return true;
}

/* What a parameter alone can be wrong in was checked before (job/params.h). */
static bool read_params(struct clicks_plan *p, const struct run_context *run, struct err *err)
{
    const char *filters = run->param(run, "filters");
    p->rules.half_life_days = run_real(run, "half_life_days");
    p->rules.position_power = run_real(run, "position_power");
    p->rules.min_signals = (uint64_t)run_whole(run, "min_signals");
    p->rules.top = (uint32_t)run_whole(run, "top");
    if (!read_weights(&p->rules, run->param(run, "weights"), err))
        return false;
    if (p->rules.half_life_days > 0 && p->rules.half_life_days < HALF_LIFE_MIN)
        return err_set(err, ERR_INVALID, "--param half_life_days=%g: must be 0, for no decay, or at least %g",
                       p->rules.half_life_days, HALF_LIFE_MIN);
    if (filters && !is_name(str_of(filters), FIELD_MAX))
        return err_set(err, ERR_INVALID, "--param filters=%s: must be the name of a field of params", filters);
    p->filters = filters ? str_of(filters) : (struct str){ NULL, 0 };
    return true;
}

static void write_types(struct jsonw *w, const struct click_rules *r)
{
    jsonw_open(w, "types", '[');
    for (uint32_t i = 0; i < r->types_count; i++)
        jsonw_str(w, NULL, r->types[i]);
    jsonw_close(w);
}

static bool write_program(const struct clicks_plan *p, const char *archive, struct arena *arena, struct str *out,
                          struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, CLICKS_JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "archive", archive);
    write_types(&w, &p->rules);
    jsonw_str(&w, "filters", p->filters);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool write_merging(struct clicks_plan *p, struct arena *arena, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, CLICKS_JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_types(&w, &p->rules);
    jsonw_open(&w, "weights", '[');
    for (uint32_t i = 0; i < p->rules.types_count; i++)
        jsonw_double(&w, NULL, p->rules.weights[i]);
    jsonw_close(&w);
    jsonw_i64(&w, "as_of", p->rules.as_of);
    jsonw_double(&w, "half_life_days", p->rules.half_life_days);
    jsonw_double(&w, "position_power", p->rules.position_power);
    jsonw_i64(&w, "min_signals", (int64_t)p->rules.min_signals);
    jsonw_i64(&w, "top", p->rules.top);
    jsonw_close(&w);
    p->merging = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

bool clicks_plan_read(struct clicks_plan *p, const struct run_context *run, struct arena *arena, int32_t as_of,
                      struct err *err)
{
    *p = (struct clicks_plan){ .rules = { .as_of = as_of } };
    if (!read_params(p, run, err) || !write_program(p, run->archive_dir, arena, &p->params, err) ||
        !write_program(p, NULL, arena, &p->program, err) || !write_merging(p, arena, err))
        return false;
    p->day_rules = (struct day_rules){
        .kernel = "clicks.day@1", .program = p->program, .neighbours = p->filters.p, .parts = CLICKS_PARTS
    };
    return true;
}
