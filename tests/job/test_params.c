#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "job/params.h"

static const char *const colours[] = { "red", "green", NULL };
static const struct job_param rows[] = {
    { .name = "word", .type = JOB_TEXT, .max = 5, .required = true, .help = "a word" },
    { .name = "count", .type = JOB_WHOLE, .fallback = "7", .min = -2, .max = 9, .help = "how many" },
    { .name = "ranges", .type = JOB_WHOLE, .min = 1, .max = 64, .power_of_two = true, .help = "splits" },
    { .name = "level", .type = JOB_REAL, .fallback = "0.5", .min = 0, .max = 1, .open = true, .help = "of it" },
    { .name = "share", .type = JOB_REAL, .min = 0, .max = 1, .help = "of it" },
    { .name = "full", .type = JOB_BOOLEAN, .fallback = "false", .help = "all" },
    { .name = "from", .type = JOB_DAY, .help = "first" },
    { .name = "colour", .type = JOB_CHOICE, .choices = colours, .help = "which" },
    { .name = "weights", .type = JOB_JSON, .help = "by type" },
};
static const struct job_type type = { .name = "paint", .summary = "s", .params = rows, .params_count = COUNT_OF(rows) };

static struct arena kept;

static void open_arena(void)
{
    arena_init(&kept, 4096);
}

static void close_arena(void)
{
    arena_release(&kept);
}

TestSuite(job_params, .init = open_arena, .fini = close_arena);

static char *checked(const char *json)
{
    struct buf out;
    struct err err = { 0 };
    buf_init(&out, JOB_PARAMS_BYTES);
    bool ok = job_params_check(&type, str_of(json), &out, &err);
    cr_assert(ok, "%s: %s", json, err.text);
    char *text = arena_cstr(&kept, buf_str(&out));
    buf_release(&out);
    return text;
}

static void refused(const char *json, const char *words)
{
    struct buf out;
    struct err err = { 0 };
    buf_init(&out, JOB_PARAMS_BYTES);
    bool ok = job_params_check(&type, str_of(json), &out, &err);
    cr_expect(eq(int, ok, 0), "%s was taken", json);
    cr_expect(eq(int, err.kind, ERR_INVALID));
    cr_expect(strstr(err.text, words) != NULL, "%s: %s", json, err.text);
    buf_release(&out);
}

Test(job_params, are_written_in_the_order_of_the_table_without_what_is_not_given)
{
    cr_assert_str_eq(checked("{\"word\":\"a\"}"), "{\"word\":\"a\"}");
    cr_assert_str_eq(checked(" { \"level\" : 0.25, \"count\":null , \"word\":\"b\\u00e9\" } "),
                     "{\"word\":\"bé\",\"level\":0.25}");
    cr_assert_str_eq(
        checked("{\"weights\":{\"b\":1,\"a\":[2]},\"colour\":\"green\",\"from\":\"2028-02-29\",\"full\":true,"
                "\"share\":1,\"ranges\":64,\"count\":-2,\"word\":\"x\"}"),
        "{\"word\":\"x\",\"count\":-2,\"ranges\":64,\"share\":1,\"full\":true,\"from\":\"2028-02-29\","
        "\"colour\":\"green\",\"weights\":{\"b\":1,\"a\":[2]}}");
}

Test(job_params, read_again_as_they_were_written)
{
    const char *once = checked("{\"share\":0.1,\"word\":\"x\",\"weights\":[]}");
    cr_assert_str_eq(checked(once), once);
}

Test(job_params, are_refused_by_name_and_reason)
{
    static const char *const cases[][2] = {
        { "{}", "needs parameter \"word\": a word" },
        { "{\"word\":null}", "needs parameter \"word\"" },
        { "[]", "are an object" },
        { "{\"word\":", "not valid JSON" },
        { "{\"word\":\"a\",\"word\":\"b\"}", "not valid JSON" },
        { "{\"word\":\"\"}", "parameter \"word\" is \"\", not a text of 1 to 5 bytes" },
        { "{\"word\":\"sixsix\"}", "parameter \"word\" is \"sixsix\", not a text of 1 to 5 bytes" },
        { "{\"word\":5}", "parameter \"word\" is 5, not a text" },
        { "{\"word\":\"a\",\"count\":10}", "parameter \"count\" is 10, not a whole number from -2 to 9" },
        { "{\"word\":\"a\",\"count\":-3}", "is -3, not a whole number" },
        { "{\"word\":\"a\",\"count\":\"3\"}", "is \"3\", not a whole number" },
        { "{\"word\":\"a\",\"count\":3.5}", "is 3.5, not a whole number" },
        { "{\"word\":\"a\",\"ranges\":3}", "parameter \"ranges\" is 3, not a power of two from 1 to 64" },
        { "{\"word\":\"a\",\"ranges\":0}", "is 0, not a power of two" },
        { "{\"word\":\"a\",\"ranges\":128}", "is 128, not a power of two" },
        { "{\"word\":\"a\",\"level\":0}", "parameter \"level\" is 0, not a number between 0 and 1" },
        { "{\"word\":\"a\",\"level\":1.0}", "not a number between 0 and 1" },
        { "{\"word\":\"a\",\"share\":1.01}", "parameter \"share\" is 1.01, not a number from 0 to 1" },
        { "{\"word\":\"a\",\"full\":\"yes\"}", "parameter \"full\" is \"yes\", not true or false" },
        { "{\"word\":\"a\",\"full\":1}", "is 1, not true or false" },
        { "{\"word\":\"a\",\"from\":\"2026-02-29\"}", "parameter \"from\" is \"2026-02-29\", not a day such as" },
        { "{\"word\":\"a\",\"from\":\"today\"}", "is \"today\", not a day" },
        { "{\"word\":\"a\",\"colour\":\"blue\"}", "parameter \"colour\" is \"blue\", not one of \"red\", \"green\"" },
        { "{\"word\":\"a\",\"weights\":1}", "parameter \"weights\" is 1, not an object or a list" },
        { "{\"word\":\"a\",\"rnges\":4}", "job \"paint\" has no parameter \"rnges\" (did you mean \"ranges\"?)" },
        { "{\"word\":\"a\",\"elsewhere\":4}", "job \"paint\" has no parameter \"elsewhere\"" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        refused(cases[i][0], cases[i][1]);
}

Test(job_params, shows_a_long_value_only_in_part)
{
    char json[2000];
    (void)snprintf(json, sizeof json, "{\"word\":\"%0*d\"}", 1500, 0);
    refused(json, "0000…, not a text of 1 to 5 bytes");
}

static bool of_text(const char *const *pairs, size_t count, struct buf *out, struct err *err)
{
    buf_init(out, JOB_PARAMS_BYTES);
    return job_params_of_text(&type, pairs, count, out, err);
}

Test(job_params, are_read_as_a_shell_writes_them)
{
    struct buf out;
    struct err err = { 0 };
    const char *const pairs[] = { "full=yes",  "count=5",         "word=12=3",         "count=-1",
                                  "level=0.1", "from=2026-11-27", "weights={\"a\": 1}" };
    bool ok = of_text(pairs, COUNT_OF(pairs), &out, &err);
    cr_assert(ok, "%s", err.text);
    cr_assert_str_eq(
        out.p,
        "{\"word\":\"12=3\",\"count\":-1,\"level\":0.1,\"full\":true,\"from\":\"2026-11-27\",\"weights\":{\"a\":1}}");
    buf_release(&out);
}

Test(job_params, are_refused_as_a_shell_writes_them)
{
    static const char *const cases[][2] = {
        { "count=many", "parameter \"count\" is \"many\", not a whole number from -2 to 9" },
        { "count", "\"count\" is not NAME=VALUE" },
        { "weights={", "parameter \"weights\" is \"{\", not an object or a list" },
        { "level=nan", "parameter \"level\" is \"nan\", not a number between 0 and 1" },
        { "colur=red", "has no parameter \"colur\" (did you mean \"colour\"?)" },
        { "from=\xff", "parameter \"from\" holds bytes that are not UTF-8" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;
        struct err err = { 0 };
        const char *const pairs[] = { "word=a", cases[i][0] };
        bool ok = of_text(pairs, 2, &out, &err);
        cr_expect(eq(int, ok, 0), "%s was taken", cases[i][0]);
        cr_expect(strstr(err.text, cases[i][1]) != NULL, "%s: %s", cases[i][0], err.text);
        buf_release(&out);
    }
}

Test(job_params, have_the_tables_defaults_when_read)
{
    struct arena arena;
    struct job_params p;
    struct err err = { 0 };
    arena_init(&arena, 1024);
    bool ok = job_params_read(&type, STR("{\"word\":\"a\",\"share\":0.1,\"weights\":{\"b\":[1]}}"), &arena, &p, &err);
    cr_assert(ok, "%s", err.text);
    cr_assert_str_eq(job_params_get(&p, "word"), "a");
    cr_assert(eq(i64, job_params_whole(&p, "count"), 7));
    cr_assert(job_params_real(&p, "level") == 0.5);
    cr_assert(job_params_real(&p, "share") == 0.1);
    cr_assert(eq(int, job_params_boolean(&p, "full"), 0));
    cr_assert_str_eq(job_params_get(&p, "weights"), "{\"b\":[1]}");
    cr_assert(job_params_get(&p, "from") == NULL);
    arena_release(&arena);
}

/* A job may have been stored when its type had other parameters. */
Test(job_params, are_checked_when_read)
{
    struct arena arena;
    struct job_params p;
    struct err err = { 0 };
    arena_init(&arena, 1024);
    bool ok = job_params_read(&type, STR("{\"word\":\"a\",\"gone\":1}"), &arena, &p, &err);
    cr_assert(eq(int, ok, 0));
    cr_assert(strstr(err.text, "has no parameter \"gone\"") != NULL, "%s", err.text);
    arena_release(&arena);
}
