#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "metric/metric.h"

#define CLICK "{\"of\":\"signals\",\"type\":\"click\"}"
#define VALUE "{\"of\":\"signals\",\"type\":\"purchase\",\"sum\":\"value\"}"
#define QUERY "{\"of\":\"queries\"}"
#define MEAN(rest) "{\"key\":\"m\",\"kind\":\"mean\",\"numerator\":" CLICK rest "}"
#define FACT(fact) "{\"key\":\"m\",\"kind\":\"mean\",\"numerator\":" fact "}"

static struct arena arena;

static void open_arena(void)
{
    arena_init(&arena, 1024);
}

static void close_arena(void)
{
    arena_release(&arena);
}

TestSuite(metric, .init = open_arena, .fini = close_arena);

static struct metric_def read_good(const char *text)
{
    struct metric_def m;
    struct err err = { 0 };
    bool ok = metric_parse(str_of(text), &arena, &m, &err);
    cr_assert(ok, "%s: %s", text, err.text);
    return m;
}

static char *text_of(const struct metric_def *m)
{
    struct str text;
    struct err err;
    cr_assert(metric_text(m, &arena, &text, &err));
    return arena_cstr(&arena, text);
}

Test(metric, gives_what_is_left_out_its_default)
{
    struct metric_def m = read_good(FACT(CLICK));
    cr_assert(eq(int, m.form, METRIC_FORM_MEAN));
    cr_assert(str_eq(m.name, STR("m")));
    cr_assert(eq(int, m.direction, METRIC_INCREASE));
    cr_assert(eq(int, m.display, METRIC_SHOW_COUNT));
    cr_assert(isnan(m.cap_value) && isnan(m.cap_percentile) && isnan(m.quantile));
    cr_assert(m.window_from_us == 0 && m.window_to_us == INT64_MAX);
    cr_assert(eq(int, m.covariate_days, METRIC_COVARIATE_DAYS));
    cr_assert(eq(i64, m.min_units, 0));
    cr_assert(m.facts_count == 1 && m.facts[0].types_count == 1 && str_eq(m.facts[0].types[0], STR("click")));
    cr_assert(fact_bounds_any(&m.facts[0].position) && fact_bounds_any(&m.facts[0].value));
}

Test(metric, reads_a_fact_of_signals)
{
    struct metric_def m = read_good(
        FACT("{\"of\":\"signals\",\"type\":[\"click\",\"cart\"],\"sum\":\"params.price\",\"where\":"
             "{\"position\":{\"lte\":5},\"value\":{\"gt\":0,\"lt\":9},\"params\":{\"category\":\"shoes\"}}}"));
    const struct metric_fact *f = &m.facts[0];
    cr_assert(f->types_count == 2 && str_eq(f->types[1], STR("cart")));
    cr_assert(f->sum == FACT_SUM_PARAM && str_eq(f->sum_param, STR("price")));
    cr_assert(f->params_count == 1 && str_eq(f->params[0].name, STR("category")) &&
              str_eq(f->params[0].value, STR("shoes")));
    cr_assert(fact_bounds_hold(&f->position, 5) && fact_bounds_hold(&f->position, -1));
    cr_assert(not(fact_bounds_hold(&f->position, 6)));
    cr_assert(not(fact_bounds_hold(&f->position, NAN)));
    cr_assert(not(fact_bounds_hold(&f->value, 0)));
    cr_assert(fact_bounds_hold(&f->value, 8.9));
    cr_assert(not(fact_bounds_hold(&f->value, 9)));
    cr_assert(fact_has_values(f));
    cr_assert(not(fact_is_counted(f)));
}

Test(metric, reads_a_fact_of_queries)
{
    struct metric_def m = read_good(
        "{\"key\":\"s\",\"kind\":\"ratio\",\"numerator\":{\"of\":\"queries\",\"that\":\"satisfied\",\"k\":3,"
        "\"dwell_seconds\":10},\"denominator\":" QUERY "}");
    cr_assert(m.facts_count == 2 && m.facts[0].of == FACT_QUERIES && m.facts[0].query == FACT_QUERY_SATISFIED);
    cr_assert(m.facts[0].k == 3 && m.facts[0].dwell_seconds == 10 && m.facts[1].query == FACT_QUERY_ALL);
    m = read_good(FACT("{\"of\":\"queries\",\"that\":\"ndcg\"}"));
    cr_assert(eq(int, m.facts[0].k, 10));
}

Test(metric, reads_sessions_sql_windows_and_caps)
{
    struct metric_def m = read_good(FACT("{\"of\":\"sessions\",\"that\":\"seconds\"}"));
    cr_assert(m.facts[0].of == FACT_SESSIONS && m.facts[0].session == FACT_SESSION_SECONDS);
    m = read_good(FACT("{\"of\":\"sql\",\"select\":\"select 1\"}"));
    cr_assert(m.facts[0].of == FACT_SQL && str_eq(m.facts[0].sql, STR("select 1")));
    m = read_good(MEAN(",\"cap\":{\"percentile\":0.99},\"window\":{\"from_hours\":0.5,\"to_hours\":168}"));
    cr_assert(m.cap_percentile == 0.99 && isnan(m.cap_value));
    cr_assert(m.window_from_us == INT64_C(1800000000) && m.window_to_us == INT64_C(604800000000));
}

/* Reading what was written gives the same, and writing that gives the same text. */
Test(metric, writes_what_reads_the_same)
{
    static const char *const texts[] = {
        FACT(CLICK),
        "{\"key\":\"p\",\"kind\":\"proportion\",\"numerator\":{\"of\":\"signals\"},\"direction\":\"decrease\","
        "\"display\":\"count\"}",
        "{\"key\":\"c\",\"kind\":\"count\",\"numerator\":{\"of\":\"sessions\"},\"cap\":{\"value\":50},\"covariate_"
        "days\":0}",
        "{\"key\":\"r\",\"kind\":\"ratio\",\"name\":\"R "
        "\\\"q\\\"\",\"description\":\"d\",\"numerator\":{\"of\":\"queries\",\"that\":"
        "\"clicked\",\"k\":5},\"denominator\":" QUERY ",\"min_units\":7}",
        "{\"key\":\"q\",\"kind\":\"quantile\",\"quantile\":0.95,\"display\":\"seconds\",\"numerator\":{\"of\":"
        "\"queries\",\"that\":"
        "\"seconds_to_first_click\"}}",
        "{\"key\":\"t\",\"kind\":\"retention\",\"numerator\":{\"of\":\"signals\"},\"window\":{\"from_hours\":168,\"to_"
        "hours\":336}}",
        "{\"key\":\"f\",\"kind\":\"funnel\",\"steps\":[" CLICK
        ",{\"of\":\"queries\",\"that\":\"satisfied\"},{\"of\":\"sql\",\"select\":"
        "\"select unit, at, value from x\"}],\"window\":{\"from_hours\":1}}",
        FACT("{\"of\":\"signals\",\"type\":[\"click\",\"cart\"],\"sum\":\"position\",\"where\":{\"position\":{\"gte\":"
             "1,\"lt\":5},"
             "\"value\":{\"gt\":-0.5},\"params\":{\"a\":\"b\",\"c d\":\"\"}}}"),
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct metric_def first = read_good(texts[i]);
        char *written = text_of(&first);
        struct metric_def again = read_good(written);
        cr_assert(metric_equal(&first, &again), "%s", written);
        cr_assert(eq(str, text_of(&again), written));
    }
}

Test(metric, tells_definitions_apart_by_what_they_count)
{
    struct metric_def a = read_good(FACT(CLICK));
    struct metric_def named = read_good("{\"key\":\"m\",\"name\":\"N\",\"kind\":\"mean\",\"numerator\":" CLICK
                                        ",\"direction\":\"decrease\"}");
    struct metric_def capped = read_good(MEAN(",\"cap\":{\"value\":3}")), value = read_good(FACT(VALUE));
    struct metric_def bounded = read_good(
        FACT("{\"of\":\"signals\",\"type\":\"click\",\"where\":{\"position\":{\"lte\":5}}}"));
    cr_assert(metric_equal(&a, &named));
    cr_assert(not(metric_equal(&a, &capped)));
    cr_assert(not(metric_equal(&a, &value)));
    cr_assert(not(metric_equal(&a, &bounded)));
}

Test(metric, says_in_words_what_it_counts)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        { FACT(CLICK), "Mean over units of the sum of: click signals." },
        { "{\"key\":\"s\",\"kind\":\"ratio\",\"numerator\":{\"of\":\"queries\",\"that\":\"satisfied\",\"k\":3},"
          "\"denominator\":" QUERY ",\"cap\":{\"value\":20}}",
          "queries with a click at positions 1 to 3 within 30 minutes and nothing else for 30 seconds; over: queries. "
          "A unit adds at most 20." },
        { "{\"key\":\"f\",\"kind\":\"funnel\",\"steps\":[" CLICK
          ",{\"of\":\"signals\",\"type\":[\"cart\",\"purchase\"]}]}",
          "Share of units that go all the way: click signals, then cart and purchase signals." },
        { "{\"key\":\"t\",\"kind\":\"retention\",\"numerator\":{\"of\":\"signals\"},\"window\":{\"from_hours\":24,\"to_"
          "hours\":48}}",
          "Share of units that come back: signals of any type. Counted from 24 to 48 hours after the first exposure. A "
          "unit counts "
          "once that time is over." },
        { FACT("{\"of\":\"signals\",\"type\":\"view\",\"sum\":\"params.price\",\"where\":{\"position\":{\"gte\":1,"
               "\"lt\":4},\"params\":"
               "{\"category\":\"shoes\"}}}"),
          "Mean over units of the sum of: params.price of view signals with position at least 1 and position below 4 "
          "and category "
          "\"shoes\"." },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct metric_def m = read_good(cases[i].text);
        struct buf b;
        buf_init(&b, 4096);
        metric_words(&b, &m);
        cr_assert(str_eq_c(buf_str(&b), cases[i].words), "%s", b.p);
        buf_release(&b);
    }
}

Test(metric, wraps_sql_whatever_it_ends_with)
{
    struct buf rows;
    buf_init(&rows, 4096);
    fact_sql_rows(&rows, STR(" select * from x -- all ; ; "));
    cr_assert(strstr(rows.p, "from (select * from x -- all\n) f") != NULL, "%s", rows.p);
    buf_release(&rows);
}

static const struct {
    const char *text, *error;
} refusals[] = {
    { "[]", "metric is a list, not an object" },
    { "{}", "metric: field \"key\" is missing" },
    { "{\"key\":\"A\"}", "metric: field \"key\" is \"A\": must be 1 to 100" },
    { "{\"key\":\"m\",\"kind\":\"sum\"}", "metric: field \"kind\" is \"sum\", not one of \"proportion\", \"mean\"" },
    { "{\"key\":\"m\",\"kind\":\"mean\"}", "metric: field \"numerator\" is missing" },
    { MEAN(",\"denominator\":" QUERY), "metric: field \"denominator\" does not go with kind \"mean\"" },
    { MEAN(",\"steps\":[]"), "metric: field \"steps\" does not go with kind \"mean\"" },
    { MEAN(",\"direction\":\"up\""), "metric: field \"direction\" is \"up\"" },
    { MEAN(",\"display\":\"x\""), "metric: field \"display\" is \"x\"" },
    { MEAN(",\"quantile\":0.5"), "metric: field \"quantile\" does not go with kind \"mean\"" },
    { MEAN(",\"covariate_days\":91"), "metric: field \"covariate_days\" is 91, not 0 to 90" },
    { MEAN(",\"min_units\":-1"), "metric: field \"min_units\" is negative" },
    { MEAN(",\"min_unit\":1"), "metric: unknown field \"min_unit\" (did you mean \"min_units\"?)" },
    { MEAN(",\"cap\":{}"), "metric: cap: give \"value\" or \"percentile\"" },
    { MEAN(",\"cap\":{\"value\":1,\"percentile\":0.9}"), "metric: cap: give \"value\" or \"percentile\"" },
    { MEAN(",\"cap\":{\"value\":0}"), "metric: cap: field \"value\" is 0" },
    { MEAN(",\"cap\":{\"percentile\":1}"), "metric: cap: field \"percentile\" is 1" },
    { MEAN(",\"window\":{\"from_hours\":-1}"), "metric: window: field \"from_hours\" is -1" },
    { MEAN(",\"window\":{\"from_hours\":5,\"to_hours\":5}"), "metric: window: field \"to_hours\" is 5" },
    { "{\"key\":\"m\",\"kind\":\"proportion\",\"numerator\":" CLICK ",\"cap\":{\"value\":1}}",
      "metric: field \"cap\" does not go" },
    { "{\"key\":\"m\",\"kind\":\"ratio\",\"numerator\":" CLICK "}", "metric: field \"denominator\" is missing" },
    { "{\"key\":\"m\",\"kind\":\"ratio\",\"numerator\":" CLICK ",\"denominator\":" QUERY
      ",\"cap\":{\"percentile\":0.9}}",
      "metric: cap: field \"percentile\" does not go with kind \"ratio\"" },
    { "{\"key\":\"m\",\"kind\":\"quantile\",\"numerator\":" VALUE "}", "metric: field \"quantile\" is missing" },
    { "{\"key\":\"m\",\"kind\":\"quantile\",\"numerator\":" VALUE ",\"quantile\":1}",
      "metric: field \"quantile\" is 1" },
    { "{\"key\":\"m\",\"kind\":\"quantile\",\"numerator\":" CLICK ",\"quantile\":0.5}",
      "metric: field \"numerator\" is counted" },
    { "{\"key\":\"m\",\"kind\":\"count\",\"numerator\":" VALUE "}",
      "metric: field \"numerator\" has values of its own" },
    { "{\"key\":\"m\",\"kind\":\"retention\",\"numerator\":" CLICK "}", "metric: field \"window\" is missing" },
    { "{\"key\":\"m\",\"kind\":\"retention\",\"numerator\":" CLICK ",\"window\":{\"from_hours\":1}}",
      "metric: window: field \"to_hours\" is missing" },
    { "{\"key\":\"m\",\"kind\":\"retention\",\"numerator\":" CLICK ",\"window\":{\"to_hours\":1},\"covariate_days\":7}",
      "metric: field \"covariate_days\" does not go with kind \"retention\"" },
    { "{\"key\":\"m\",\"kind\":\"funnel\",\"steps\":[" CLICK "]}",
      "metric: field \"steps\" has 1 elements, not 2 to 10" },
    { "{\"key\":\"m\",\"kind\":\"funnel\",\"steps\":[" CLICK ",{\"of\":\"x\"}]}",
      "metric: steps[1]: field \"of\" is \"x\"" },
    { FACT("{}"), "metric: numerator: field \"of\" is missing" },
    { FACT("7"), "metric: field \"numerator\" is a number, not an object" },
    { FACT("{\"of\":\"queries\",\"that\":\"good\"}"), "metric: numerator: field \"that\" is \"good\"" },
    { FACT("{\"of\":\"queries\",\"k\":5}"), "metric: numerator: field \"k\" does not go with \"all\"" },
    { FACT("{\"of\":\"queries\",\"that\":\"ndcg\",\"k\":0}"), "metric: numerator: field \"k\" is 0, not 1 to 1000" },
    { FACT("{\"of\":\"queries\",\"dwell_seconds\":5}"),
      "metric: numerator: field \"dwell_seconds\" does not go with \"all\"" },
    { FACT("{\"of\":\"queries\",\"type\":\"click\"}"), "metric: numerator: unknown field \"type\"" },
    { FACT("{\"of\":\"signals\",\"type\":\"Click\"}"), "metric: numerator: field \"type\" must be 1 to 64 of a-z" },
    { FACT("{\"of\":\"signals\",\"type\":[]}"), "metric: numerator: field \"type\" has 0 elements, not 1 to 20" },
    { FACT("{\"of\":\"signals\",\"type\":[\"a\",\"a\"]}"), "metric: numerator: field \"type\" names \"a\" twice" },
    { FACT("{\"of\":\"signals\",\"sum\":\"price\"}"), "metric: numerator: field \"sum\" is \"price\"" },
    { FACT("{\"of\":\"signals\",\"sum\":\"params.\"}"), "metric: numerator: field \"sum\" is \"params.\"" },
    { FACT("{\"of\":\"signals\",\"where\":{}}"), "metric: numerator: where: is empty" },
    { FACT("{\"of\":\"signals\",\"where\":{\"position\":{}}}"), "metric: numerator: where: position: has no bound" },
    { FACT("{\"of\":\"signals\",\"where\":{\"position\":{\"lt\":1,\"lte\":1}}}"),
      "metric: numerator: where: position: field \"lte\" is a second bound" },
    { FACT("{\"of\":\"signals\",\"where\":{\"value\":{\"gt\":3,\"lt\":3}}}"),
      "metric: numerator: where: value: holds no number" },
    { FACT("{\"of\":\"signals\",\"where\":{\"params\":{\"a\":1}}}"),
      "metric: numerator: where: params: field \"a\" must be text" },
    { FACT("{\"of\":\"sessions\",\"that\":\"long\"}"), "metric: numerator: field \"that\" is \"long\"" },
    { FACT("{\"of\":\"sql\"}"), "metric: numerator: field \"select\" is missing" },
    { FACT("{\"of\":\"sql\",\"select\":\"  \"}"), "metric: numerator: field \"select\" has 2 bytes" },
};

Test(metric, refuses_naming_the_field)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct metric_def m;
        struct err err = { 0 };
        cr_assert(not(metric_parse(str_of(refusals[i].text), &arena, &m, &err)), "taken: %s", refusals[i].text);
        cr_assert(str_starts(str_of(err.text), str_of(refusals[i].error)), "%s\n gave %s\n not %s", refusals[i].text,
                  err.text, refusals[i].error);
        cr_assert(eq(int, err.kind, ERR_INVALID));
    }
}
