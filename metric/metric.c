#include "metric/metric.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "metric/fact.h"

#define US_PER_HOUR 3.6e9
#define HOURS_MAX (24.0 * 3660)

const char *const metric_form_names[] = {
    [METRIC_FORM_PROPORTION] = "proportion", [METRIC_FORM_MEAN] = "mean",         [METRIC_FORM_WHOLE] = "count",
    [METRIC_FORM_RATIO] = "ratio",           [METRIC_FORM_QUANTILE] = "quantile", [METRIC_FORM_RETENTION] = "retention",
    [METRIC_FORM_FUNNEL] = "funnel",
};
static_assert(COUNT_OF(metric_form_names) == METRIC_FORM_COUNT, "a name for every form");

const char *const metric_direction_names[] = { [METRIC_INCREASE] = "increase", [METRIC_DECREASE] = "decrease" };
static_assert(COUNT_OF(metric_direction_names) == METRIC_DIRECTION_COUNT, "a name for every direction");

const char *const metric_display_names[] = {
    [METRIC_SHOW_SHARE] = "share", [METRIC_SHOW_COUNT] = "count", [METRIC_SHOW_SECONDS] = "seconds",
    [METRIC_SHOW_SCORE] = "score", [METRIC_SHOW_MONEY] = "money",
};
static_assert(COUNT_OF(metric_display_names) == METRIC_DISPLAY_COUNT, "a name for every display");

/* What a form takes. capped: by a value; by_percentile: also by the pooled percentile of units. */
static const struct {
    enum metric_display display; /* unless the document says */
    bool capped, by_percentile, covariates;
} forms[] = {
    [METRIC_FORM_PROPORTION] = { METRIC_SHOW_SHARE, false, false, true },
    [METRIC_FORM_MEAN] = { METRIC_SHOW_COUNT, true, true, true },
    [METRIC_FORM_WHOLE] = { METRIC_SHOW_COUNT, true, true, true },
    [METRIC_FORM_RATIO] = { METRIC_SHOW_SHARE, true, false, true },
    [METRIC_FORM_QUANTILE] = { METRIC_SHOW_COUNT, false, false, false },
    [METRIC_FORM_RETENTION] = { METRIC_SHOW_SHARE, false, false, false },
    [METRIC_FORM_FUNNEL] = { METRIC_SHOW_SHARE, false, false, false },
};
static_assert(COUNT_OF(forms) == METRIC_FORM_COUNT, "a row for every form");

/* The parts of the document that are objects and lists, until they are read. */
struct parts {
    json_t *numerator, *denominator, *steps, *cap, *window;
};

/* ---- plain fields ---- */

static bool key_is_good(struct str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && !(i > 0 && (c == '_' || c == '.' || c == '-')))
            return false;
    }
    return key.n > 0 && key.n <= METRIC_KEY_MAX;
}

static void read_text(struct json_reader *r, const char *field, struct str *out, struct arena *arena)
{
    if (json_get_str(r, field, JSON_OPTIONAL, out, arena) && out->n > METRIC_TEXT_MAX)
        (void)json_fail(r, field, "is longer than %d bytes", METRIC_TEXT_MAX);
}

static void read_key(struct json_reader *r, struct metric_def *m, struct arena *arena)
{
    if (!json_get_str(r, "key", JSON_REQUIRED, &m->key, arena) || key_is_good(m->key))
        return;
    struct str shown = str_cut(m->key, 40);
    (void)json_fail(r, "key",
                    "is \"" STR_FMT
                    "\": must be 1 to %d of a-z, 0-9, \"_\", \".\", \"-\" and start with a letter or digit",
                    STR_ARG(shown), METRIC_KEY_MAX);
}

static void read_words(struct json_reader *r, struct metric_def *m)
{
    struct str word;
    if (json_get_str(r, "kind", JSON_REQUIRED, &word, NULL))
        m->form = (enum metric_form)fact_word(r, "kind", word, metric_form_names, METRIC_FORM_COUNT);
    if (json_get_str(r, "direction", JSON_OPTIONAL, &word, NULL))
        m->direction = (enum metric_direction)fact_word(r, "direction", word, metric_direction_names,
                                                        METRIC_DIRECTION_COUNT);
    m->display = forms[m->form].display;
    if (json_get_str(r, "display", JSON_OPTIONAL, &word, NULL))
        m->display = (enum metric_display)fact_word(r, "display", word, metric_display_names, METRIC_DISPLAY_COUNT);
}

static void read_numbers(struct json_reader *r, struct metric_def *m)
{
    int64_t days = forms[m->form].covariates ? METRIC_COVARIATE_DAYS : 0;
    (void)json_get_i64(r, "covariate_days", JSON_OPTIONAL, &days);
    if (days < 0 || days > METRIC_COVARIATE_DAYS_MAX)
        (void)json_fail(r, "covariate_days", "is %lld, not 0 to %d", (long long)days, METRIC_COVARIATE_DAYS_MAX);
    if (days && !forms[m->form].covariates)
        (void)json_fail(r, "covariate_days", "does not go with kind \"%s\"", metric_form_names[m->form]);
    m->covariate_days = (int)days;
    bool is_quantile = m->form == METRIC_FORM_QUANTILE;
    if (json_get_double(r, "quantile", is_quantile ? JSON_REQUIRED : JSON_OPTIONAL, &m->quantile)) {
        if (!is_quantile)
            (void)json_fail(r, "quantile", "does not go with kind \"%s\"", metric_form_names[m->form]);
        else if (!(m->quantile > 0 && m->quantile < 1))
            (void)json_fail(r, "quantile", "is %g, not between 0 and 1", m->quantile);
    }
    if (json_get_i64(r, "min_units", JSON_OPTIONAL, &m->min_units) && m->min_units < 0)
        (void)json_fail(r, "min_units", "is negative");
}

/* A part that the kind needs is required, one that it does not take is refused. */
static void read_part(struct json_reader *r, const struct metric_def *m, const char *field, bool wanted, bool list,
                      json_t **out)
{
    enum json_need need = wanted ? JSON_REQUIRED : JSON_OPTIONAL;
    bool there = list ? json_get_array(r, field, need, out) : json_get_object(r, field, need, out);
    if (there && !wanted)
        (void)json_fail(r, field, "does not go with kind \"%s\"", metric_form_names[m->form]);
}

/* ---- cap and window ---- */

static bool read_cap(json_t *object, struct metric_def *m, struct err *err)
{
    struct json_reader r;
    json_reader_open(&r, object, "metric: cap");
    if (json_get_double(&r, "value", JSON_OPTIONAL, &m->cap_value) && !(m->cap_value > 0))
        (void)json_fail(&r, "value", "is %g, not above 0", m->cap_value);
    if (json_get_double(&r, "percentile", JSON_OPTIONAL, &m->cap_percentile)) {
        if (!forms[m->form].by_percentile)
            (void)json_fail(&r, "percentile", "does not go with kind \"%s\"", metric_form_names[m->form]);
        else if (!(m->cap_percentile >= 0.5 && m->cap_percentile < 1))
            (void)json_fail(&r, "percentile", "is %g, not 0.5 or more and below 1", m->cap_percentile);
    }
    if (r.err.kind == ERR_NONE && isnan(m->cap_value) == isnan(m->cap_percentile))
        (void)json_fail(&r, NULL, "give \"value\" or \"percentile\"");
    return json_reader_close(&r, err);
}

static bool read_window(json_t *object, struct metric_def *m, struct err *err)
{
    struct json_reader r;
    double from = 0, to = INFINITY;
    json_reader_open(&r, object, "metric: window");
    (void)json_get_double(&r, "from_hours", JSON_OPTIONAL, &from);
    (void)json_get_double(&r, "to_hours", m->form == METRIC_FORM_RETENTION ? JSON_REQUIRED : JSON_OPTIONAL, &to);
    if (!(from >= 0 && from <= HOURS_MAX))
        (void)json_fail(&r, "from_hours", "is %g, not 0 to %g", from, HOURS_MAX);
    if (!isinf(to) && !(to > from && to <= HOURS_MAX))
        (void)json_fail(&r, "to_hours", "is %g, not above \"from_hours\" and up to %g", to, HOURS_MAX);
    if (!json_reader_close(&r, err))
        return false;
    m->window_from_us = llround(from * US_PER_HOUR);
    m->window_to_us = isinf(to) ? INT64_MAX : llround(to * US_PER_HOUR);
    return true;
}

/* ---- facts ---- */

static bool read_steps(const json_t *list, struct metric_def *m, struct arena *arena, struct err *err)
{
    size_t n = json_array_size(list);
    if (n < 2 || n > METRIC_STEPS_MAX)
        return err_set(err, ERR_INVALID, "metric: field \"steps\" has %zu elements, not 2 to %d", n, METRIC_STEPS_MAX);
    m->facts = arena_zalloc(arena, n * sizeof *m->facts);
    m->facts_count = n;
    for (size_t i = 0; i < n; i++) {
        char what[40];
        (void)snprintf(what, sizeof what, "metric: steps[%zu]", i);
        if (!fact_read(json_array_get(list, i), what, arena, &m->facts[i], err))
            return false;
    }
    return true;
}

static bool read_fractions(const struct parts *p, struct metric_def *m, struct arena *arena, struct err *err)
{
    m->facts_count = p->denominator ? 2 : 1;
    m->facts = arena_zalloc(arena, m->facts_count * sizeof *m->facts);
    return fact_read(p->numerator, "metric: numerator", arena, &m->facts[0], err) &&
           (!p->denominator || fact_read(p->denominator, "metric: denominator", arena, &m->facts[1], err));
}

/* What a form asks of its facts. */
static bool check_facts(const struct metric_def *m, struct err *err)
{
    if (m->form == METRIC_FORM_QUANTILE && !fact_has_values(&m->facts[0]))
        return err_set(err, ERR_INVALID,
                       "metric: field \"numerator\" is counted and has no values of its own to take a quantile of");
    if (m->form == METRIC_FORM_WHOLE && !fact_is_counted(&m->facts[0]))
        return err_set(err, ERR_INVALID, "metric: field \"numerator\" has values of its own; use kind \"mean\"");
    if (m->form == METRIC_FORM_RETENTION && m->window_to_us == INT64_MAX)
        return err_set(err, ERR_INVALID,
                       "metric: field \"window\" is missing; a retention asks whether units come back within it");
    return true;
}

static void read_fields(struct json_reader *r, struct metric_def *m, struct parts *p, struct arena *arena)
{
    read_key(r, m, arena);
    read_text(r, "name", &m->name, arena);
    read_text(r, "description", &m->description, arena);
    read_words(r, m);
    read_numbers(r, m);
    bool funnel = m->form == METRIC_FORM_FUNNEL;
    read_part(r, m, "numerator", !funnel, false, &p->numerator);
    read_part(r, m, "denominator", m->form == METRIC_FORM_RATIO, false, &p->denominator);
    read_part(r, m, "steps", funnel, true, &p->steps);
    if (json_get_object(r, "cap", JSON_OPTIONAL, &p->cap) && !forms[m->form].capped)
        (void)json_fail(r, "cap", "does not go with kind \"%s\"", metric_form_names[m->form]);
    (void)json_get_object(r, "window", JSON_OPTIONAL, &p->window);
}

bool metric_read(json_t *root, struct arena *arena, struct metric_def *out, struct err *err)
{
    struct metric_def m = { .name = STR(""),
                            .description = STR(""),
                            .cap_value = NAN,
                            .cap_percentile = NAN,
                            .window_to_us = INT64_MAX,
                            .quantile = NAN };
    struct parts p = { 0 };
    struct json_reader r;
    json_reader_open(&r, root, "metric");
    read_fields(&r, &m, &p, arena);
    if (!json_reader_close(&r, err) || (p.cap && !read_cap(p.cap, &m, err)) ||
        (p.window && !read_window(p.window, &m, err)))
        return false;
    if (!(p.steps ? read_steps(p.steps, &m, arena, err) : read_fractions(&p, &m, arena, err)) || !check_facts(&m, err))
        return false;
    m.name = m.name.n ? m.name : m.key;
    *out = m;
    return true;
}

bool metric_parse(struct str text, struct arena *arena, struct metric_def *out, struct err *err)
{
    json_auto_t *root = json_parse(text, err);
    return root && metric_read(root, arena, out, err);
}

/* ---- writing ---- */

static void write_cap(struct jsonw *w, const struct metric_def *m)
{
    if (isnan(m->cap_value) && isnan(m->cap_percentile))
        return;
    jsonw_open(w, "cap", '{');
    if (isnan(m->cap_value))
        jsonw_double(w, "percentile", m->cap_percentile);
    else
        jsonw_double(w, "value", m->cap_value);
    jsonw_close(w);
}

static void write_window(struct jsonw *w, const struct metric_def *m)
{
    if (m->window_from_us == 0 && m->window_to_us == INT64_MAX)
        return;
    jsonw_open(w, "window", '{');
    jsonw_double(w, "from_hours", (double)m->window_from_us / US_PER_HOUR);
    if (m->window_to_us != INT64_MAX)
        jsonw_double(w, "to_hours", (double)m->window_to_us / US_PER_HOUR);
    jsonw_close(w);
}

void metric_write(struct jsonw *w, const struct metric_def *m)
{
    jsonw_str(w, "key", m->key);
    jsonw_str(w, "name", m->name);
    jsonw_str(w, "description", m->description);
    jsonw_text(w, "kind", metric_form_names[m->form]);
    jsonw_text(w, "direction", metric_direction_names[m->direction]);
    jsonw_text(w, "display", metric_display_names[m->display]);
    if (m->form == METRIC_FORM_FUNNEL) {
        jsonw_open(w, "steps", '[');
        for (size_t i = 0; i < m->facts_count; i++)
            fact_write(w, NULL, &m->facts[i]);
        jsonw_close(w);
    } else {
        fact_write(w, "numerator", &m->facts[0]);
        if (m->form == METRIC_FORM_RATIO)
            fact_write(w, "denominator", &m->facts[1]);
    }
    write_cap(w, m);
    write_window(w, m);
    jsonw_i64(w, "covariate_days", m->covariate_days);
    if (m->form == METRIC_FORM_QUANTILE)
        jsonw_double(w, "quantile", m->quantile);
    jsonw_i64(w, "min_units", m->min_units);
}

bool metric_text(const struct metric_def *m, struct arena *arena, struct str *out, struct err *err)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, METRIC_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    metric_write(&w, m);
    jsonw_close(&w);
    bool ok = buf_ok(&b, "the metric", err);
    if (ok)
        *out = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return ok;
}

static bool number_equal(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

bool metric_equal(const struct metric_def *a, const struct metric_def *b)
{
    for (size_t i = 0; i < a->facts_count && a->facts_count == b->facts_count; i++)
        if (!fact_equal(&a->facts[i], &b->facts[i]))
            return false;
    return a->facts_count == b->facts_count && a->form == b->form && number_equal(a->cap_value, b->cap_value) &&
           number_equal(a->cap_percentile, b->cap_percentile) && a->window_from_us == b->window_from_us &&
           a->window_to_us == b->window_to_us && a->covariate_days == b->covariate_days &&
           number_equal(a->quantile, b->quantile);
}
