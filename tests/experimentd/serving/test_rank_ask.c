#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "experimentd/serving/rank_ask.h"

/* score = a + 10 b + 100 c; b is 7 when it is missing; signals know c of some documents. */
struct shop {
    struct arena arena;
    struct buf file;
    struct artifact artifact;
    struct served served;
    struct serving_entry entry;
    struct ranker r;
};

static struct str signals_of(struct arena *arena)
{
    static const char *const columns[] = { "c" };
    struct lists_out o;
    struct buf out;
    struct err err;
    buf_init(&out, 1 << 12);
    lists_begin(&o, columns, 1);
    lists_key(&o, STR("desk lamp"));
    lists_add(&o, STR("d2"), (float[]){ 5 });
    cr_assert(lists_end(&o, &out, &err), "%s", err.text);
    struct str s = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return s;
}

static void open_shop(struct shop *m)
{
    static const struct str names[] = { { "a", 1 }, { "b", 1 }, { "c", 1 } };
    struct artifact_out o;
    struct ranker_out w;
    struct buf section;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    arena_init(&m->arena, 1 << 12);
    buf_init(&m->file, 1 << 16);
    buf_init(&section, 1 << 12);
    ranker_begin(&w, RANKER_LINEAR, names, 3);
    ranker_linear(&w, (float[]){ 1, 10, 100 }, NULL, NULL);
    cr_assert(ranker_end(&w, &section, &err), "%s", err.text);
    artifact_begin(&o, RANKER_KIND);
    artifact_add(&o, "ranker", buf_str(&section));
    artifact_add(&o, "features", STR("[{\"name\":\"a\"},{\"name\":\"b\",\"default\":7},{\"name\":\"c\"}]"));
    artifact_add(&o, "signals", signals_of(&m->arena));
    cr_assert(artifact_end(&o, &m->file, digest, &err), "%s", err.text);
    buf_release(&section);
    cr_assert(artifact_read(buf_str(&m->file), &m->artifact, &err), "%s", err.text);
    cr_assert(ranker_open(&m->artifact, &m->arena, &m->r, &err), "%s", err.text);
    m->served = (struct served){ .view = &m->r };
    m->entry = (struct serving_entry){
        .model = STR("shop"), .alias = STR("champion"), .version = 3, .served = &m->served
    };
}

static void close_shop(struct shop *m)
{
    arena_release(&m->arena);
    buf_release(&m->file);
}

static const struct ranker *found(void *arg, struct str model, struct str alias)
{
    struct shop *m = arg;
    (void)model;
    (void)alias;
    return &m->r;
}

/* The answer, or what was wrong; the same whether the documents are read on the way or in the end. */
static char *rank_once(const char *body, bool early, struct buf *out)
{
    static char wrong[256];
    struct shop m;
    struct rank_ask ask;
    struct err err;
    open_shop(&m);
    buf_clear(out);
    if (!rank_ask_read(str_of(body), clock_mono_us(), early ? found : NULL, &m, &m.arena, &ask, &err) ||
        !rank_answer_write(&ask, &m.entry, &m.arena, out, &err)) {
        (void)snprintf(wrong, sizeof wrong, "%s", err.text);
        close_shop(&m);
        return wrong;
    }
    close_shop(&m);
    return out->p;
}

static char *rank(const char *body, struct buf *out)
{
    char late[4096];
    (void)snprintf(late, sizeof late, "%s", rank_once(body, false, out));
    char *early = rank_once(body, true, out);
    if (strlen(late) < sizeof late - 1)
        cr_assert(eq(str, early, late), "%s", body);
    return early;
}

#define HEAD "{\"model\":\"shop\",\"alias\":\"champion\",\"version\":3"

Test(rank_ask, every_form_of_the_same_documents_is_ranked_alike)
{
    static const char *const bodies[] = {
        "{\"docs\":[{\"id\":\"x\",\"features\":{\"a\":1,\"b\":2,\"c\":3}},{\"id\":\"y\",\"features\":{\"c\":4,\"a\":1,"
        "\"b\":0}}]}",
        "{\"docs\":[{\"features\":[1,2,3],\"id\":\"x\"},{\"id\":\"y\",\"features\":[1,0,4]}]}",
        "{\"features\":[\"c\",\"a\",\"b\"],\"docs\":[{\"id\":\"x\",\"features\":[3,1,2]},{\"id\":\"y\",\"features\":[4,"
        "1,0]}]}",
        " { \"values\" : [ [1, 2 ,3e0],[1.0,0,0.4E+1] ] , \"ids\" : [\"x\",\"\\u0079\"] } ",
        "{\"ids\":[\"x\",\"y\"],\"values\":[[3,2,1],[4,0,1]],\"features\":[\"c\",\"b\",\"a\"],\"model\":\"shop@"
        "champion\"}",
    };
    struct buf out;
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        char *got = rank(bodies[i], &out);
        cr_assert(eq(str, got, HEAD ",\"docs\":[{\"id\":\"y\",\"score\":401},{\"id\":\"x\",\"score\":321}]}"), "%s",
                  bodies[i]);
    }
    buf_release(&out);
}

Test(rank_ask, what_is_missing_is_filled_in)
{
    static const char *const cases[][2] = {
        { "{\"values\":[[1,null,3],[1,2,null]]}", "[{\"index\":0,\"score\":371},{\"index\":1,\"score\":21}]" },
        { "{\"query\":\" Desk  "
          "LAMP\",\"docs\":[{\"id\":\"d1\",\"features\":{}},{\"id\":\"d2\",\"features\":{}},{\"id\":\"d2\","
          "\"features\":{\"c\":1}}]}",
          "[{\"id\":\"d2\",\"score\":570},{\"id\":\"d2\",\"score\":170},{\"id\":\"d1\",\"score\":70}]" },
        { "{\"docs\":[{\"id\":\"d1\"}]}", "[{\"id\":\"d1\",\"score\":70}]" },
        { "{\"docs\":[]}", "[]" },
        { "{\"features\":[],\"values\":[[]],\"query\":null}", "[{\"index\":0,\"score\":70}]" },
    };
    struct buf out;
    char wanted[256];
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(wanted, sizeof wanted, HEAD ",\"docs\":%s}", cases[i][1]);
        cr_assert(eq(str, rank(cases[i][0], &out), wanted));
    }
    buf_release(&out);
}

Test(rank_ask, equal_scores_keep_their_order_and_n_cuts)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    char *got = rank("{\"n\":3,\"values\":[[1,0,0],[-0.0,0,0],[2,0,0],[0,0,0],[-1,0,0],[1,0,0]]}", &out);
    cr_assert(eq(str, got,
                 HEAD ",\"docs\":[{\"index\":2,\"score\":2},{\"index\":0,\"score\":1},{\"index\":5,\"score\":1}]}"));
    buf_release(&out);
}

Test(rank_ask, contributions_are_the_terms)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    char *got = rank("{\"explain\":true,\"values\":[[1,null,-3]]}", &out);
    cr_assert(eq(str, got,
                 HEAD ",\"explained_by\":\"terms\",\"base\":0,\"docs\":[{\"index\":0,\"score\":-229,\"contributions\":"
                      "{\"a\":1,\"b\":70,\"c\":-300}}]}"));
    buf_release(&out);
}

Test(rank_ask, what_cannot_be_is_refused_by_name)
{
    static const char *const cases[][2] = {
        { "[]", "not a JSON object" },
        { "{}", "field \"docs\" is missing, and field \"values\" too" },
        { "{\"docs\":[],\"values\":[]}", "field \"docs\" and field \"values\" are both there" },
        { "{\"docs\":[],\"ids\":[]}", "field \"docs\" and field \"ids\" are both there" },
        { "{\"docs\":[],\"docs\":[]}", "field \"docs\" is there twice" },
        { "{\"docs\":{}}", "field \"docs\" is not a list" },
        { "{\"dcos\":[]}", "unknown field \"dcos\" (did you mean \"docs\"?)" },
        { "{\"docs\":[]} 1", "something behind" },
        { "{\"docs\":[1", "field \"docs\": the JSON ends inside of it" },
        { "{\"docs\":[\"", "field \"docs\": the JSON ends inside of it" },
        { "{\"docs\":[1]}", "field \"docs\" element 0: it is not an object" },
        { "{\"docs\":[{\"id\":\"x\"},{}]}",
          "field \"docs\" element 1: field \"id\" is missing, and the documents before have one" },
        { "{\"docs\":[{\"id\":7}]}", "field \"docs\" element 0: field \"id\" is not a string" },
        { "{\"docs\":[{\"id\":\"\"}]}", "an id is empty" },
        { "{\"docs\":[{\"id\":\"x\",\"id\":\"y\"}]}", "field \"id\" is there twice" },
        { "{\"docs\":[{\"name\":\"x\"}]}", "unknown field \"name\"" },
        { "{\"docs\":[{\"features\":{\"d\":1}}]}", "element 0: the model has no feature \"d\"; it has 3: a, b, c" },
        { "{\"docs\":[{\"features\":{\"a\":1,\"a\":2}}]}", "feature \"a\" is there twice" },
        { "{\"docs\":[{\"features\":{\"a\":\"1\"}}]}", "feature \"a\" is neither a number nor null" },
        { "{\"docs\":[{\"features\":{\"a\":1e39}}]}", "feature \"a\" is 1e+39, beyond a float" },
        { "{\"docs\":[{\"features\":[1,2]}]}", "2 values for 3 features" },
        { "{\"values\":[[1,2,3],[1,2,3,4]]}", "field \"values\" element 1: more values than the 3 features" },
        { "{\"values\":[[1,2,3}]}", "field \"values\" element 0: the JSON has byte" },
        { "{\"values\":[[1,2,03]]}", "not well formed" },
        { "{\"features\":[\"a\",\"d\"],\"values\":[]}",
          "field \"features\" element 1: the model has no feature \"d\"" },
        { "{\"features\":[\"a\",\"a\"],\"values\":[]}", "field \"features\" element 1: \"a\" is there twice" },
        { "{\"values\":[[1,2,3]],\"ids\":[]}", "field \"ids\" has fewer elements than the 1 rows" },
        { "{\"values\":[[1,2,3]],\"ids\":[\"x\",\"y\"]}", "field \"ids\" has more elements than the 1 rows" },
        { "{\"values\":[],\"n\":0}", "field \"n\" is not a whole number from 1 to 1000" },
        { "{\"values\":[],\"n\":1.5}", "field \"n\"" },
        { "{\"values\":[],\"explain\":1}", "field \"explain\" is neither true nor false" },
        { "{\"values\":[],\"model\":1}", "field \"model\" is not a string" },
        { "{\"values\":[],\"model\":\"a@b\",\"alias\":\"c\"}", "names another alias" },
    };
    struct buf out;
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *got = rank(cases[i][0], &out);
        cr_assert(ne(ptr, strstr(got, cases[i][1]), NULL), "%s: %s", cases[i][0], got);
    }
    buf_release(&out);
}

Test(rank_ask, more_documents_than_the_limit_are_refused)
{
    struct buf body, out;
    buf_init(&body, 1 << 16);
    buf_init(&out, 1 << 17);
    for (int count = 1000; count <= 1001; count++) {
        buf_clear(&body);
        buf_add_c(&body, "{\"values\":[");
        for (int i = 0; i < count; i++)
            buf_addf(&body, "%s[%d,0,0]", i ? "," : "", i % 7);
        buf_add_c(&body, "]}");
        char *got = rank(body.p, &out);
        bool fine = strstr(got, "more than 1000 elements") == NULL;
        cr_assert(eq(int, fine, count == 1000), "%.200s", got);
    }
    buf_release(&body);
    buf_release(&out);
}

Test(rank_ask, a_deadline_that_passed_is_said)
{
    struct shop m;
    struct rank_ask ask;
    struct buf out;
    struct err err;
    open_shop(&m);
    buf_init(&out, 1 << 16);
    int64_t long_ago = clock_mono_us() - 50000;
    cr_assert(
        rank_ask_read(STR("{\"deadline_ms\":20,\"values\":[[1,2,3]]}"), long_ago, NULL, NULL, &m.arena, &ask, &err),
        "%s", err.text);
    bool fine = rank_answer_write(&ask, &m.entry, &m.arena, &out, &err);
    cr_assert(not(fine));
    cr_assert(eq(int, err.kind, ERR_BUSY));
    cr_assert(eq(str, err.text, "the deadline of 20 ms passed when 0 of 1 documents were scored"));
    buf_release(&out);
    close_shop(&m);
}
