/* What a person tells a loop: defaults, what is refused and why, and the experiment that it makes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "experimentd/loop/spec.h"

static struct arena arena;
static json_t *roots[16]; /* borrowed by specs until the test ends */
static size_t roots_count;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_release(&arena);
    while (roots_count)
        json_decref(roots[--roots_count]);
}

TestSuite(spec, .init = setup, .fini = teardown);

static bool read_text(const char *text, struct loop_spec *out, struct err *err)
{
    json_t *root = json_parse(str_of(text), err);
    cr_assert(lt(sz, roots_count, COUNT_OF(roots)));
    roots[roots_count++] = root;
    return root && loop_spec_read(root, STR("ranker"), &arena, out, err);
}

static void refused(const char *text, const char *why)
{
    struct loop_spec s;
    struct snapshot_experiment e;
    struct err err = { 0 };
    bool read = read_text(text, &s, &err) && loop_spec_experiment(&s, &arena, &e, &err);
    cr_assert(eq(int, read, 0), "%s", text);
    cr_assert(strstr(err.text, why) != NULL, "%s: %s", text, err.text);
}

Test(spec, has_defaults)
{
    struct loop_spec s;
    struct err err;
    cr_assert(read_text("{\"metrics\": [\"ctr\"]}", &s, &err), "%s", err.text);
    cr_assert(eq(int, s.kind, EXPERIMENT_AB));
    cr_assert(str_eq_c(s.experiment, "loop-ranker"));
    cr_assert(epsilon_eq(dbl, s.traffic, 0.1, 0));
    cr_assert(eq(i64, s.min_days, 7));
    cr_assert(eq(i64, s.max_days, 28));
    cr_assert(eq(int, s.asks, 0));
    cr_assert(eq(int, s.alarm_ends, 1));
}

Test(spec, names_what_is_wrong)
{
    refused("{}", "field \"metrics\" is missing: what the challenger has to be better in");
    refused("{\"metrics\": [\"ctr\"], \"kind\": \"bandit\"}", "field \"kind\" is \"bandit\", not ab or interleave");
    refused("{\"metrics\": [\"ctr\"], \"traffic\": 0}", "field \"traffic\" is 0, not above 0 and up to 1");
    refused("{\"metrics\": [\"ctr\"], \"traffic\": 1.5}", "field \"traffic\"");
    refused("{\"metrics\": [\"ctr\"], \"min_days\": 9, \"max_days\": 3}", "field \"max_days\" is 3, outside 9");
    refused("{\"metrics\": [\"ctr\"], \"approve\": \"nobody\"}", "not automatic or person");
    refused("{\"metrics\": [\"ctr\"], \"on_alarm\": \"shout\"}", "not roll_back or wait");
    refused("{\"metrics\": [\"ctr\"], \"notify\": {\"url\": \"ftp://x\"}}", "no http:// address");
    refused("{\"metrics\": [\"ctr\"], \"trafic\": 0.1}", "trafic");
    refused("{\"metrics\": [\"ctr\"], \"experiment\": \"No Key\"}", "field \"key\"");
    refused("{\"metrics\": [\"ctr\"], \"analysis\": {\"method\": \"often\"}}", "field \"method\" is \"often\"");
    refused("{\"metrics\": [{\"metric\": \"ctr\", \"role\": \"boss\"}]}", "role");
}

Test(spec, makes_an_experiment_of_model_and_alias)
{
    struct loop_spec s;
    struct snapshot_experiment e;
    struct err err;
    cr_assert(read_text("{\"metrics\": [\"ctr\"], \"traffic\": 0.3, \"min_days\": 2, \"parameter\": \"search.ranker\"}",
                        &s, &err),
              "%s", err.text);
    cr_assert(loop_spec_experiment(&s, &arena, &e, &err), "%s", err.text);
    cr_assert(str_eq_c(e.variants[0].key, "champion"));
    cr_assert(str_eq_c(e.variants[1].key, "challenger"));
    cr_assert(str_eq_c(e.variants[1].value_json, "{\"model\":\"ranker\",\"alias\":\"challenger\"}"), "%s",
              e.variants[1].value_json.p);
    cr_assert(str_eq_c(e.default_json, "{\"model\":\"ranker\",\"alias\":\"champion\"}"));
    cr_assert(str_eq_c(e.parameter, "search.ranker"));
    cr_assert(epsilon_eq(dbl, e.coverage, 0.3, 0));
    cr_assert(eq(i64, e.minimum_days, 2));
    cr_assert(loop_spec_fits(&s, &e, &arena, &err), "%s", err.text);
    e.variants[1].value_json = STR("\"bm25\"");
    cr_assert(eq(int, loop_spec_fits(&s, &e, &arena, &err), 0));
    cr_assert(strstr(err.text, "say another key in \"experiment\"") != NULL, "%s", err.text);
}

Test(spec, of_an_interleaving_is_looked_at_every_day)
{
    struct loop_spec s;
    struct snapshot_experiment e;
    struct err err;
    cr_assert(read_text("{\"kind\": \"interleave\"}", &s, &err), "%s", err.text);
    cr_assert(loop_spec_experiment(&s, &arena, &e, &err), "%s", err.text);
    cr_assert(eq(int, e.kind, EXPERIMENT_INTERLEAVE));
    cr_assert(eq(int, e.analysis.method, ANALYSIS_ANY_TIME));
}

Test(spec, of_a_new_phase_takes_back_what_is_not_said)
{
    struct loop_spec s;
    struct err err;
    cr_assert(read_text("{\"metrics\": [\"ctr\"], \"mde\": 0.1}", &s, &err), "%s", err.text);
    struct str text = loop_spec_document(&s, true, &arena);
    cr_assert(strstr(text.p, "\"reassign\":true") != NULL, "%s", text.p);
    cr_assert(strstr(text.p, "\"mde\":0.1") != NULL, "%s", text.p);
    cr_assert(strstr(text.p, "\"target_effect\":null") != NULL, "%s", text.p);
    cr_assert(strstr(text.p, "variants") == NULL, "%s", text.p);
}

Test(spec, is_written_as_it_is_read)
{
    struct loop_spec s, again;
    struct err err;
    AUTO(buf_release) struct buf first, second;
    struct jsonw w;
    buf_init(&first, LOOP_SPEC_MAX);
    buf_init(&second, LOOP_SPEC_MAX);
    cr_assert(read_text("{\"metrics\": [{\"metric\": \"ctr\", \"role\": \"primary\"}], \"approve\": \"person\", "
                        "\"on_alarm\": \"wait\", \"notify\": "
                        "{\"url\": \"http://h/x\"}, \"target_effect\": 0.02}",
                        &s, &err),
              "%s", err.text);
    jsonw_init(&w, &first);
    jsonw_open(&w, NULL, '{');
    loop_spec_write(&w, &s);
    jsonw_close(&w);
    cr_assert(read_text(arena_cstr(&arena, buf_str(&first)), &again, &err), "%s", err.text);
    jsonw_init(&w, &second);
    jsonw_open(&w, NULL, '{');
    loop_spec_write(&w, &again);
    jsonw_close(&w);
    cr_assert(str_eq(buf_str(&first), buf_str(&second)), "%s", second.p);
    cr_assert(eq(int, again.asks, 1));
    cr_assert(eq(int, again.alarm_ends, 0));
}
