/* The model: for every unit and every experiment, walk all its events again for each question, in the plainest way. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "program_of.h"
#include "trainer/kernels/unit_day.h"

enum { EVENTS = 400, UNITS = 5, QUERIES = 6, ROUNDS = 300, EXPERIMENTS = 2 };
#define DAY_END INT64_C(1000000000000)
#define QUERY_WINDOW_US METRIC_QUERY_WINDOW_US

struct day_sums {
    double clicks, queries, reciprocal_ranks, zero_queries, known_queries, seconds, timed_queries;
};
static const struct event_hit one_click = { F_CLICKS, 1 };

static struct unit_day_rules rules_of(const struct program *p)
{
    return (struct unit_day_rules){ .program = p, .from_us = DAY_END - INT64_C(86400000000), .to_us = DAY_END };
}

static uint64_t state;

static unsigned draw(unsigned below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % below;
}

static const char *const units[] = { "u0", "u1", "u2", "u3", "u4" };
static const char *const queries[] = { "q0", "q1", "q2", "q3", "q4", "q5" };
static const char *const variants[] = { "a", "b" };

static struct day_event random_event(void)
{
    struct day_event e = { .kind = (enum event_kind)draw(4), .unit = str_of(units[draw(UNITS)]), .value = NAN };
    e.at_us = DAY_END - INT64_C(7200000000) + (int64_t)draw(9000) * 1000000;
    if (e.kind == EVENT_EXPOSURE) {
        e.experiment = draw(EXPERIMENTS);
        e.query_id = str_of(variants[draw(20) == 0]);
        e.at_us = DAY_END - 1 - (int64_t)draw(7200) * 1000000;
        return e;
    }
    if (e.kind != EVENT_CLICK && e.at_us >= DAY_END)
        e.at_us -= INT64_C(2000000000);
    if (draw(10))
        e.query_id = str_of(queries[draw(QUERIES)]);
    if (e.kind == EVENT_CLICK) {
        e.position = (int32_t)draw(5);
        e.hits = &one_click;
        e.hits_count = 1;
    }
    if (e.kind == EVENT_RESPONSE || (e.kind == EVENT_REQUEST && draw(2)))
        e.value = draw(3);
    return e;
}

/* ---- the model ---- */

static void add_query(struct day_sums *s, const struct day_event *all, size_t n, const struct day_event *request)
{
    const struct day_event *first_click = NULL, *last_known = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct day_event *e = &all[i];
        bool same = request->query_id.n ? str_eq(e->query_id, request->query_id) : e == request;
        if (e->kind == EVENT_EXPOSURE || !str_eq(e->unit, request->unit) || !same)
            continue;
        if (e->kind == EVENT_CLICK && e->at_us >= request->at_us && e->at_us <= request->at_us + QUERY_WINDOW_US &&
            (!first_click || e->at_us < first_click->at_us ||
             (e->at_us == first_click->at_us && e->position &&
              (!first_click->position || e->position < first_click->position))))
            first_click = e;
        if (e->kind != EVENT_CLICK && !isnan(e->value) &&
            (!last_known || e->at_us > last_known->at_us ||
             (e->at_us == last_known->at_us &&
              (e->kind > last_known->kind || (e->kind == last_known->kind && e->value >= last_known->value)))))
            last_known = e;
    }
    s->queries++;
    s->known_queries += last_known != NULL;
    s->zero_queries += last_known && last_known->value == 0;
    if (first_click) {
        s->reciprocal_ranks += first_click->position ? 1.0 / first_click->position : 0;
        s->timed_queries += first_click->at_us > request->at_us;
        s->seconds += (double)(first_click->at_us - request->at_us) / 1e6;
    }
}

static bool is_first_request(const struct day_event *all, size_t n, const struct day_event *request)
{
    for (size_t i = 0; i < n; i++)
        if (request->query_id.n && all[i].kind == EVENT_REQUEST && str_eq(all[i].unit, request->unit) &&
            str_eq(all[i].query_id, request->query_id) &&
            (all[i].at_us < request->at_us || (all[i].at_us == request->at_us && &all[i] < request)))
            return false;
    return true;
}

static struct day_sums model(const struct day_event *all, size_t n, struct str unit, int64_t from_us)
{
    struct day_sums s = { 0 };
    for (size_t i = 0; i < n; i++) {
        const struct day_event *e = &all[i];
        if (!str_eq(e->unit, unit) || e->at_us < from_us || e->at_us >= DAY_END)
            continue;
        s.clicks += e->kind == EVENT_CLICK;
        if (e->kind == EVENT_REQUEST && is_first_request(all, n, e))
            add_query(&s, all, n, e);
    }
    return s;
}

static void same(const double *x, const struct day_sums *b, const char *what)
{
    const double *y = (const double *)b;
    for (size_t i = 0; i < FIRST_FACTS; i++)
        cr_assert(fabs(x[i] - y[i]) < 1e-6, "%s, sum %zu: %g, the model says %g", what, i, x[i], y[i]);
}

struct check {
    const struct day_event *all;
    size_t n, units;
};

static bool compare(void *arg, const struct unit_day *u, struct err *err)
{
    struct check *c = arg;
    (void)err;
    struct day_sums whole = model(c->all, c->n, u->unit, INT64_MIN);
    same(u->all, &whole, "the whole day");
    for (size_t i = 0; i < u->exposures_count; i++) {
        const struct day_exposure *e = &u->exposures[i];
        struct day_sums after = model(c->all, c->n, u->unit, e->at_us);
        int64_t first = INT64_MAX;
        for (size_t k = 0; k < c->n; k++)
            if (c->all[k].kind == EVENT_EXPOSURE && str_eq(c->all[k].unit, u->unit) &&
                c->all[k].experiment == e->experiment && c->all[k].at_us < first)
                first = c->all[k].at_us;
        cr_assert(eq(i64, e->at_us, first));
        same(e->after, &after, "from the first exposure on");
    }
    c->units++;
    return true;
}

Test(unit_day, records_are_what_the_plain_model_says)
{
    const struct program program = PROGRAM_OF(first_metrics);
    const struct unit_day_rules rules = rules_of(&program);
    for (state = 1; state < ROUNDS * 1000; state = (state / 1000 + 1) * 1000 + 1) {
        uint64_t round = state;
        struct day_event events[EVENTS], sorted[EVENTS];
        struct err err;
        size_t n = 1 + draw(EVENTS - 1);
        struct check c = { .all = events, .n = n };
        for (size_t i = 0; i < n; i++)
            sorted[i] = events[i] = random_event();
        cr_assert(unit_days(sorted, n, &rules, compare, &c, &err));
        state = round;
    }
}

struct written {
    struct buf bytes;
    const struct program *program;
};

static bool write_record(void *arg, const struct unit_day *u, struct err *err)
{
    struct written *w = arg;
    (void)err;
    unit_day_write(&w->bytes, u, w->program);
    return true;
}

/* With windows, so that single values are written, too. */
static const char *const listed_metrics[] = {
    "{\"key\": \"a\", \"kind\": \"mean\", \"numerator\": {\"of\": \"signals\", \"type\": \"click\"},"
    " \"window\": {\"to_hours\": 24}}",
    "{\"key\": \"b\", \"kind\": \"ratio\", \"numerator\": {\"of\": \"queries\", \"that\": \"seconds_to_first_click\"},"
    " \"denominator\": {\"of\": \"queries\"}, \"window\": {\"to_hours\": 24}}",
};

Test(unit_day, the_order_of_rows_does_not_matter_and_records_read_back)
{
    struct day_event events[EVENTS], shuffled[EVENTS];
    const struct program program = PROGRAM_OF(listed_metrics);
    const struct unit_day_rules rules = rules_of(&program);
    struct written a = { .program = &program }, b = a;
    struct err err;
    state = 42;
    buf_init(&a.bytes, 1 << 20);
    buf_init(&b.bytes, 1 << 20);
    for (size_t i = 0; i < EVENTS; i++)
        shuffled[EVENTS - 1 - i] = events[i] = random_event();
    cr_assert(unit_days(events, EVENTS, &rules, write_record, &a, &err));
    cr_assert(unit_days(shuffled, EVENTS, &rules, write_record, &b, &err));
    cr_assert(str_eq(buf_str(&a.bytes), buf_str(&b.bytes)));
    struct str rest = buf_str(&a.bytes);
    struct unit_day u;
    size_t count = 0, items = 0;
    for (; rest.n; count++) {
        cr_assert(unit_day_read(&rest, &program, &u, program_arena()));
        items += u.items_count;
    }
    cr_assert(eq(sz, count, UNITS));
    cr_assert(gt(sz, items, 0));
    for (size_t cut = 1; cut < 40; cut++) {
        rest = (struct str){ a.bytes.p, cut };
        cr_assert(not(unit_day_read(&rest, &program, &u, program_arena())), "%zu bytes", cut);
    }
    buf_release(&a.bytes);
    buf_release(&b.bytes);
}

static bool first_query_seconds(void *arg, const struct unit_day *u, struct err *err)
{
    (void)err;
    *(double *)arg = u->all[F_SECONDS];
    return true;
}

Test(unit_day, a_click_behind_midnight_belongs_to_its_query)
{
    struct day_event events[] = {
        { .kind = EVENT_REQUEST, .at_us = DAY_END - 60000000, .unit = STR("u"), .query_id = STR("q"), .value = NAN },
        { .kind = EVENT_CLICK,
          .at_us = DAY_END + 60000000,
          .unit = STR("u"),
          .query_id = STR("q"),
          .position = 2,
          .value = NAN },
    };
    const struct program program = PROGRAM_OF(first_metrics);
    const struct unit_day_rules rules = rules_of(&program);
    struct err err;
    double seconds = 0;
    cr_assert(unit_days(events, 2, &rules, first_query_seconds, &seconds, &err));
    cr_assert(epsilon_eq(dbl, seconds, 120, 1e-9));
}
