/* world.h - random events of a few units and days, and what happened to each fact of signals, queries and sessions: counted in the
 * plainest way, by walking all events of a unit again for each question. */
#pragma once
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "trainer/kernels/event.h"

enum {
    UNITS = 30,
    DAYS = 7,
    FIRST_DAY = 100,
    SIGNALS = 3600,
    ROWS = 600,
    EVENTS_MAX = 4600,
    ROUNDS = 4,
    EXPERIMENTS = 2
};
#define DAY_US INT64_C(86400000000)
#define HOUR_US INT64_C(3600000000)

/* ---- the world ---- */

struct signal {
    struct day_event e; /* without hits */
    struct str type, params;
};

static struct signal world[EVENTS_MAX];
static size_t world_count;
static uint64_t state;

static unsigned draw(unsigned below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % below;
}

static struct str unit_name(unsigned i)
{
    static char names[UNITS][8];
    (void)snprintf(names[i], sizeof names[i], "u%02u", i);
    return str_of(names[i]);
}

static int64_t any_instant(void)
{
    return FIRST_DAY * DAY_US + (int64_t)draw(DAYS * 24) * HOUR_US + (int64_t)draw(200) * 20 * 1000000;
}

static struct signal any_signal(unsigned serial)
{
    static const char *const types[] = {
        "request", "request", "response", "click", "click", "cart", "purchase", "view"
    };
    static const char *const ids[] = { "q0", "q1", "q2", "q3" }, *const texts[] = { "lamp", "desk" },
                             *const all_params[] = { "{\"category\": \"shoes\", \"price\": 12.5}",
                                                     "{\"category\": \"shoes\", \"price\": \"3\"}",
                                                     "{\"category\": \"hats\", \"price\": 7}", "[1]", "not JSON" };
    struct signal s = { .type = str_of(types[draw(COUNT_OF(types))]) };
    struct day_event *e = &s.e;
    *e = (struct day_event){ .kind = event_kind_of(s.type), .unit = unit_name(draw(UNITS)), .value = (double)NAN };
    e->at_us = any_instant();
    if (draw(8))
        e->query_id = str_of(ids[draw(COUNT_OF(ids))]);
    else
        e->at_us += serial; /* what has no id stands alone in time: nothing else tells its order */
    if (draw(3) == 0)
        e->session = str_of(draw(2) ? "s1" : "s2");
    if (e->kind == EVENT_REQUEST && draw(6))
        e->query = str_of(texts[draw(COUNT_OF(texts))]);
    if (e->kind == EVENT_CLICK)
        e->position = (int32_t)draw(8);
    if (draw(3))
        e->value = e->kind == EVENT_PURCHASE ? draw(400) / 7.0 : draw(4);
    if (draw(2))
        s.params = str_of(all_params[draw(COUNT_OF(all_params))]);
    return s;
}

static void make_exposures(unsigned unit)
{
    static const char *const dims[] = { "device=phone", "country=de\ndevice=desk", "country=fr" };
    for (uint32_t e = 0; e < EXPERIMENTS; e++) {
        unsigned variant = draw(2);
        for (unsigned i = 0, n = draw(4); i < n; i++) {
            struct signal s = { .e = { .kind = EVENT_EXPOSURE, .unit = unit_name(unit), .experiment = e } };
            s.e.at_us = any_instant() + draw(1000);
            s.e.query_id = str_of((draw(12) ? variant : !variant) ? "b" : "a");
            if (draw(4))
                s.e.query = str_of(dims[draw(COUNT_OF(dims))]);
            world[world_count++] = s;
        }
    }
}

static void make_world(void)
{
    world_count = 0;
    for (unsigned i = 0; i < SIGNALS; i++)
        world[world_count++] = any_signal(i);
    for (unsigned u = 0; u < UNITS; u++)
        make_exposures(u);
    for (unsigned i = 0; i < ROWS; i++) {
        struct signal s = { .e = { .kind = EVENT_ROW, .unit = unit_name(draw(UNITS)), .value = draw(9) } };
        s.e.at_us = any_instant();
        world[world_count++] = s;
    }
    cr_assert(le(sz, world_count, EVENTS_MAX));
}

/* ---- what happened to a fact ---- */

struct happened {
    int64_t at_us;
    double value;
};
enum { HAPPENED_MAX = 1000 };

static bool is_of(const struct signal *s, struct str unit)
{
    return str_eq(s->e.unit, unit) && event_is_signal(&s->e);
}

static bool same_day(int64_t a, int64_t b)
{
    return a / DAY_US == b / DAY_US;
}

static size_t signals_of(const struct metric_fact *f, struct str unit, struct happened *out)
{
    size_t n = 0;
    for (size_t i = 0; i < world_count; i++) {
        const struct signal *s = &world[i];
        bool type = f->types_count == 0;
        double value = 1;
        for (size_t k = 0; k < f->types_count; k++)
            type = type || str_eq(f->types[k], s->type);
        if (!is_of(s, unit) || !type)
            continue;
        if (f->position.high == 5 && (s->e.position < 1 || s->e.position > 5))
            continue;
        if (f->sum == FACT_SUM_VALUE)
            value = s->e.value;
        if (f->sum == FACT_SUM_PARAM) { /* of the one definition that has params */
            bool dear = s->params.n && strstr(s->params.p, "12.5"), cheap = s->params.n && strstr(s->params.p, "\"3\"");
            value = s->e.value > 1 && dear ? 12.5 : s->e.value > 1 && cheap ? 3 : (double)NAN;
        }
        if (!isnan(value))
            out[n++] = (struct happened){ s->e.at_us, value };
    }
    return n;
}

static bool belongs(const struct signal *s, const struct signal *request)
{
    return request->e.query_id.n ? is_of(s, request->e.unit) && str_eq(s->e.query_id, request->e.query_id)
                                 : s == request;
}

/* The first request of its query since `from_us`. */
static bool begins_query(const struct signal *r, int64_t from_us)
{
    if (r->e.kind != EVENT_REQUEST || r->e.at_us < from_us)
        return false;
    for (size_t i = 0; i < world_count; i++)
        if (world[i].e.kind == EVENT_REQUEST && belongs(&world[i], r) && world[i].e.at_us >= from_us &&
            (world[i].e.at_us < r->e.at_us || (world[i].e.at_us == r->e.at_us && &world[i] < r)))
            return false;
    return true;
}

/* As texts of requests of one query and instant may differ, the first by bytes that is known. */
static struct str text_of(const struct signal *r)
{
    const struct signal *best = NULL;
    for (size_t i = 0; i < world_count; i++) {
        const struct signal *s = &world[i];
        if (s->e.kind != EVENT_REQUEST || !belongs(s, r) || s->e.at_us < r->e.at_us - r->e.at_us % DAY_US ||
            !s->e.query.n)
            continue;
        if (!best || event_by_unit_and_time(&s->e, &best->e) < 0)
            best = s;
    }
    return best ? best->e.query : (struct str){ NULL, 0 };
}

static double results_of(const struct signal *r)
{
    const struct signal *last = NULL;
    for (size_t i = 0; i < world_count; i++) {
        const struct signal *s = &world[i];
        if ((s->e.kind == EVENT_REQUEST || s->e.kind == EVENT_RESPONSE) && belongs(s, r) && !isnan(s->e.value) &&
            same_day(s->e.at_us, r->e.at_us) && (!last || event_by_unit_and_time(&s->e, &last->e) > 0))
            last = s;
    }
    return last ? last->e.value : (double)NAN;
}

static bool in_query(const struct signal *s, const struct signal *r, enum event_kind kind)
{
    return s->e.kind == kind && belongs(s, r) && s->e.at_us >= r->e.at_us &&
           s->e.at_us <= r->e.at_us + METRIC_QUERY_WINDOW_US;
}

static const struct signal *first_click_of(const struct signal *r)
{
    const struct signal *first = NULL;
    for (size_t i = 0; i < world_count; i++)
        if (in_query(&world[i], r, EVENT_CLICK) && (!first || event_by_unit_and_time(&world[i].e, &first->e) < 0))
            first = &world[i];
    return first;
}

static bool stays(const struct signal *click, double seconds)
{
    for (size_t i = 0; i < world_count; i++)
        if (is_of(&world[i], click->e.unit) && world[i].e.at_us > click->e.at_us &&
            (double)(world[i].e.at_us - click->e.at_us) < seconds * 1e6)
            return false;
    return true;
}

static double reformulated_of(const struct signal *r)
{
    int64_t from_us = r->e.at_us - r->e.at_us % DAY_US;
    const struct signal *next = NULL, *click = first_click_of(r);
    for (size_t i = 0; i < world_count; i++) {
        const struct signal *s = &world[i];
        bool later = s->e.at_us > r->e.at_us ||
                     (s->e.at_us == r->e.at_us && event_compare_str(s->e.query_id, r->e.query_id) > 0);
        if (!is_of(s, r->e.unit) || !begins_query(s, from_us) || !later)
            continue;
        if (!next || s->e.at_us < next->e.at_us ||
            (s->e.at_us == next->e.at_us && event_compare_str(s->e.query_id, next->e.query_id) < 0))
            next = s;
    }
    if (!next || next->e.at_us > r->e.at_us + METRIC_REFORMULATION_US || (click && click->e.at_us < next->e.at_us))
        return 0;
    struct str one = text_of(r), other = text_of(next);
    return one.n && other.n && !str_eq(one, other);
}

static double ndcg_of(const struct signal *r, int k)
{
    double got = 0, best = 0;
    int clicked = 0;
    for (int rank = 1; rank <= k; rank++) {
        bool any = false;
        for (size_t i = 0; i < world_count; i++)
            any = any || (in_query(&world[i], r, EVENT_CLICK) && world[i].e.position == rank);
        got += any ? 1 / log2(rank + 1) : 0;
        clicked += any;
    }
    for (int i = 1; i <= clicked; i++)
        best += 1 / log2(i + 1);
    return clicked ? got / best : 0;
}

static double measure_of(const struct metric_fact *f, const struct signal *r)
{
    const struct signal *click = first_click_of(r);
    double results = results_of(r), revenue = 0;
    bool clicked = false, satisfied = false, purchased = false;
    for (size_t i = 0; i < world_count; i++) {
        const struct signal *s = &world[i];
        bool near = f->k == 0 || (s->e.position >= 1 && s->e.position <= f->k);
        clicked = clicked || (in_query(s, r, EVENT_CLICK) && near);
        satisfied = satisfied || (in_query(s, r, EVENT_CLICK) && near && stays(s, f->dwell_seconds));
        if (in_query(s, r, EVENT_PURCHASE)) {
            purchased = true;
            revenue += isnan(s->e.value) ? 0 : s->e.value;
        }
    }
    switch (f->query) {
    case FACT_QUERY_ALL:
        return 1;
    case FACT_QUERY_CLICKED:
        return clicked;
    case FACT_QUERY_SATISFIED:
        return satisfied;
    case FACT_QUERY_ABANDONED:
        return !click && !(results == 0);
    case FACT_QUERY_REFORMULATED:
        return reformulated_of(r);
    case FACT_QUERY_RECIPROCAL_RANK:
        return click && click->e.position >= 1 && click->e.position <= f->k ? 1.0 / click->e.position : 0;
    case FACT_QUERY_NDCG:
        return ndcg_of(r, f->k);
    case FACT_QUERY_SECONDS_TO_FIRST_CLICK:
        return click && click->e.at_us > r->e.at_us ? (double)(click->e.at_us - r->e.at_us) / 1e6 : (double)NAN;
    case FACT_QUERY_REVENUE:
        return revenue;
    case FACT_QUERY_PURCHASED:
        return purchased;
    case FACT_QUERY_RESULTS:
        return results;
    default:
        abort(); /* the model does not know this measure */
    }
}

static size_t queries_of(const struct metric_fact *f, struct str unit, struct happened *out)
{
    size_t n = 0;
    for (size_t i = 0; i < world_count; i++) {
        const struct signal *r = &world[i];
        if (!is_of(r, unit) || !begins_query(r, r->e.at_us - r->e.at_us % DAY_US))
            continue;
        double value = measure_of(f, r);
        if (!isnan(value))
            out[n++] = (struct happened){ r->e.at_us, value };
    }
    return n;
}

static int by_time_and_session(const void *a, const void *b)
{
    const struct signal *x = *(const struct signal *const *)a, *y = *(const struct signal *const *)b;
    if (x->e.at_us != y->e.at_us)
        return x->e.at_us < y->e.at_us ? -1 : 1;
    return event_compare_str(x->e.session, y->e.session);
}

static size_t sessions_of(const struct metric_fact *f, struct str unit, struct happened *out)
{
    const struct signal *of[EVENTS_MAX];
    size_t count = 0, n = 0;
    for (size_t i = 0; i < world_count; i++)
        if (is_of(&world[i], unit))
            of[count++] = &world[i];
    qsort(of, count, sizeof *of, by_time_and_session);
    for (size_t from = 0, to; from < count; from = to) {
        int clicks = 0, queries = 0;
        for (to = from; to < count; to++) {
            bool apart = to > from && (of[to]->e.at_us - of[to - 1]->e.at_us > METRIC_SESSION_GAP_US ||
                                       (of[to]->e.session.n && of[to - 1]->e.session.n &&
                                        !str_eq(of[to]->e.session, of[to - 1]->e.session)));
            if (apart)
                break;
            clicks += of[to]->e.kind == EVENT_CLICK;
            queries += of[to]->e.kind == EVENT_REQUEST;
        }
        double seconds = (double)(of[to - 1]->e.at_us - of[from]->e.at_us) / 1e6;
        double value = f->session == FACT_SESSION_ALL          ? 1
                       : f->session == FACT_SESSION_WITH_CLICK ? clicks > 0
                       : f->session == FACT_SESSION_ABANDONED  ? queries > 0 && clicks == 0
                                                               : seconds;
        out[n++] = (struct happened){ of[from]->e.at_us, value };
    }
    return n;
}

static size_t rows_of(struct str unit, struct happened *out)
{
    size_t n = 0;
    for (size_t i = 0; i < world_count; i++)
        if (world[i].e.kind == EVENT_ROW && str_eq(world[i].e.unit, unit))
            out[n++] = (struct happened){ world[i].e.at_us, world[i].e.value };
    return n;
}

static size_t walk(const struct metric_fact *f, struct str unit, struct happened *out)
{
    size_t n = f->of == FACT_SIGNALS    ? signals_of(f, unit, out)
               : f->of == FACT_QUERIES  ? queries_of(f, unit, out)
               : f->of == FACT_SESSIONS ? sessions_of(f, unit, out)
                                        : rows_of(unit, out);
    cr_assert(le(sz, n, HAPPENED_MAX));
    return n;
}

/* Walking takes long: once for each fact and unit of a world. */
static struct memory {
    const struct metric_fact *f;
    struct str unit;
    size_t n;
    struct happened of[HAPPENED_MAX];
} remembered[100 * UNITS];
static size_t remembered_count;

static size_t happened_to(const struct metric_fact *f, struct str unit, struct happened *out)
{
    size_t i = 0;
    while (i < remembered_count && (remembered[i].f != f || remembered[i].unit.p != unit.p))
        i++;
    struct memory *m = &remembered[i];
    if (i == remembered_count) {
        cr_assert(lt(sz, remembered_count, COUNT_OF(remembered)));
        *m = (struct memory){ .f = f, .unit = unit };
        m->n = walk(f, unit, m->of);
        remembered_count++;
    }
    memcpy(out, m->of, m->n * sizeof *out);
    return m->n;
}
