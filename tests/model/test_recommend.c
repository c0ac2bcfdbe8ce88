#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "model/recommend.h"

/* A recommender written as a table: rows of "section", "key", "entry", value, in the order of sections and keys. */
struct line {
    const char *section, *key, *entry;
    double value;
};

static const struct line shop[] = {
    { "items_for_user", "ann", "lamp", 9 },
    { "items_for_user", "ann", "chair", 6 },
    { "items_for_user", "ann", "desk", 3 },
    { "items_for_item", "chair", "desk", 0.5 },
    { "items_for_item", "chair", "sofa", 0.4 },
    { "items_for_item", "lamp", "bulb", 0.9 },
    { "items_for_item", "lamp", "shade", 0.6 },
    { "items_for_item", "lamp", "desk", 0.3 },
    { "items_for_item", "rug", "sofa", 0.8 },
    { "users_for_item", "lamp", "ann", 2 },
    { "users_for_item", "lamp", "bob", 1 },
    { "items_for_query", "light", "lamp", 7 },
    { "items_for_query", "light", "bulb", 5 },
    { "popular", "", "sofa", 100 },
    { "popular", "", "lamp", 90 },
    { "popular", "", "rug", 80 },
    { "popular", "", "vase", 70 },
    { "popular", "outdoor", "tent", 4 },
    { "queries_for_query", "light", "lamp", 1 },
    { "seen", "ann", "chair", 5 },
    { "seen", "ann", "mug", 1 },
};

struct model {
    struct arena arena;
    struct buf file;
    struct artifact artifact;
    struct recommender r;
};

static struct str section_of(struct arena *arena, const char *name, const struct line *lines, size_t count)
{
    static const char *const columns[] = { "score" };
    struct lists_out o;
    struct err err;
    struct buf b;
    const char *key = NULL;
    buf_init(&b, 1 << 20);
    lists_begin(&o, columns, 1);
    for (size_t i = 0; i < count; i++) {
        float value = (float)lines[i].value;
        if (strcmp(lines[i].section, name) != 0)
            continue;
        if (!key || strcmp(key, lines[i].key) != 0)
            lists_key(&o, str_of(lines[i].key));
        key = lines[i].key;
        lists_add(&o, str_of(lines[i].entry), &value);
    }
    cr_assert(lists_end(&o, &b, &err), "%s", err.text);
    struct str copy = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return copy;
}

static void model_open(struct model *m, const struct line *lines, size_t count, struct str factors)
{
    struct artifact_out o;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    const char *last = "";
    arena_init(&m->arena, 1 << 16);
    buf_init(&m->file, 1 << 22);
    artifact_begin(&o, "recommender");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(lines[i].section, last) != 0)
            artifact_add(&o, lines[i].section, section_of(&m->arena, lines[i].section, lines, count));
        last = lines[i].section;
    }
    if (factors.p)
        artifact_add(&o, "factors", factors);
    cr_assert(artifact_end(&o, &m->file, digest, &err), "%s", err.text);
    cr_assert(artifact_read(buf_str(&m->file), &m->artifact, &err), "%s", err.text);
    cr_assert(recommender_open(&m->artifact, &m->r, &m->arena, &err), "%s", err.text);
}

static void model_close(struct model *m)
{
    buf_release(&m->file);
    arena_release(&m->arena);
}

/* "item:source item:source …" */
static char *answer(struct model *m, const struct recommend_request *q)
{
    struct recommend_answer a;
    struct buf b;
    buf_init(&b, 1 << 16);
    recommend(&m->r, q, &m->arena, &a);
    for (size_t i = 0; i < a.count; i++)
        buf_addf(&b, "%s" STR_FMT ":%s", i ? " " : "", STR_ARG(a.items[i].item),
                 recommend_source_names[a.items[i].source]);
    char *text = arena_cstr(&m->arena, buf_str(&b));
    buf_release(&b);
    return text;
}

#define SAYS(request, text) cr_assert(eq(str, answer(&m, request), text))

static const struct str none = { NULL, 0 };

Test(recommend, each_kind_of_request_reads_its_lists_and_is_filled_with_what_is_popular)
{
    struct model m;
    model_open(&m, shop, COUNT_OF(shop), none);
    struct recommend_request q = { .of = RECOMMEND_USER, .id = STR("ann"), .n = 5, .fill = true };
    SAYS(&q, "lamp:personal chair:personal desk:personal sofa:popular rug:popular");
    q.exclude_seen = true;
    SAYS(&q, "lamp:personal desk:personal sofa:popular rug:popular vase:popular");
    q.fill = false;
    SAYS(&q, "lamp:personal desk:personal");
    q = (struct recommend_request){ .of = RECOMMEND_ITEM, .id = STR("lamp"), .n = 4, .fill = true };
    SAYS(&q, "bulb:similar shade:similar desk:similar sofa:popular");
    q.of = RECOMMEND_USERS;
    SAYS(&q, "ann:similar bob:similar");
    q = (struct recommend_request){ .of = RECOMMEND_QUERY, .id = STR("light"), .n = 9 };
    SAYS(&q, "lamp:similar bulb:similar");
    q.unit = STR("ann");
    q.exclude_seen = true;
    q.fill = true;
    SAYS(&q, "lamp:similar bulb:similar sofa:popular rug:popular vase:popular");
    q = (struct recommend_request){ .of = RECOMMEND_QUERIES, .id = STR("light"), .n = 9, .fill = true };
    SAYS(&q, "lamp:similar");
    q = (struct recommend_request){ .of = RECOMMEND_TOP, .id = STR("outdoor"), .n = 2, .fill = true };
    SAYS(&q, "tent:popular sofa:popular");
    q.id = STR("");
    SAYS(&q, "sofa:popular lamp:popular");
    model_close(&m);
}

Test(recommend, what_is_not_known_is_said_and_answered_with_what_is_popular)
{
    struct model m;
    struct recommend_answer a;
    model_open(&m, shop, COUNT_OF(shop), none);
    for (int of = 0; of < RECOMMEND_FOR_COUNT; of++) {
        struct recommend_request q = { .of = (enum recommend_for)of, .id = STR("nobody"), .n = 2, .fill = true };
        bool items = of != RECOMMEND_USERS && of != RECOMMEND_QUERIES;
        recommend(&m.r, &q, &m.arena, &a);
        cr_assert(eq(int, (int)a.note, (int)RECOMMEND_UNKNOWN));
        SAYS(&q, items ? "sofa:popular lamp:popular" : "");
    }
    model_close(&m);
    model_open(&m, shop + 13, 1, none); /* popular alone */
    struct recommend_request q = { .of = RECOMMEND_USER, .id = STR("ann"), .n = 2, .fill = true };
    recommend(&m.r, &q, &m.arena, &a);
    cr_assert(eq(int, (int)a.note, (int)RECOMMEND_NO_SECTION));
    SAYS(&q, "sofa:popular");
    model_close(&m);
}

Test(recommend, a_unit_that_was_deleted_is_as_one_that_never_was)
{
    struct model m;
    model_open(&m, shop, COUNT_OF(shop), none);
    struct recommend_request q = {
        .of = RECOMMEND_USER, .id = STR("ann"), .n = 3, .fill = true, .exclude_seen = true, .forget = true
    };
    SAYS(&q, "sofa:popular lamp:popular rug:popular");
    model_close(&m);
}

static bool not_of_metal(void *arg, struct str item)
{
    ++*(int *)arg;
    return !str_eq_c(item, "lamp") && !str_eq_c(item, "sofa");
}

Test(recommend, what_is_excluded_or_refused_gets_no_place_and_is_asked_about_once)
{
    struct model m;
    int asked = 0;
    struct str exclude[] = { STR("desk"), STR("rug") };
    model_open(&m, shop, COUNT_OF(shop), none);
    struct recommend_request q = { .of = RECOMMEND_USER,
                                   .id = STR("ann"),
                                   .n = 9,
                                   .fill = true,
                                   .exclude = exclude,
                                   .exclude_count = 2,
                                   .keep = not_of_metal,
                                   .keep_arg = &asked };
    SAYS(&q, "chair:personal vase:popular");
    cr_assert(eq(int, asked, 4), "lamp, chair, sofa, vase; lamp is popular, too");
    model_close(&m);
}

Test(recommend, a_history_is_folded_in_by_sums_over_similar_items)
{
    struct model m;
    struct recommend_answer a;
    struct recommend_event history[] = { { STR("lamp"), 1 }, { STR("rug"), 2 }, { STR("nonsense"), 5 } };
    model_open(&m, shop, COUNT_OF(shop), none);
    struct recommend_request q = {
        .of = RECOMMEND_USER, .id = STR("carl"), .n = 4, .exclude_seen = true, .history = history, .history_count = 3
    };
    SAYS(&q, "sofa:fold-in bulb:fold-in shade:fold-in desk:fold-in"); /* 2 * 0.8, 0.9, 0.6, 0.3 */
    recommend(&m.r, &q, &m.arena, &a);
    cr_assert(eq(sz, a.history_known, 2));
    cr_assert(eq(int, (int)a.note, (int)RECOMMEND_FINE));
    cr_assert(epsilon_eq(dbl, a.items[0].score, 1.6, 1e-6));
    /* A known unit: its list and the sums, each with a best of 1: lamp 1 (excluded), chair 2/3 (seen), desk 1/3 + 0.3/1.6, sofa 1, bulb 0.9/1.6. */
    q.id = STR("ann");
    SAYS(&q, "sofa:fold-in bulb:fold-in desk:personal shade:fold-in");
    /* What training has seen of the unit already changes nothing. */
    history[0].item = STR("chair");
    q.history_count = 1;
    SAYS(&q, "lamp:personal desk:personal");
    /* A history that says nothing leaves the unit's list, or nothing. */
    q.history = history + 2;
    SAYS(&q, "lamp:personal desk:personal");
    q.id = STR("carl");
    SAYS(&q, "");
    model_close(&m);
}

/* Items on a ring: item i points in direction i; "seen" of ann names the items of the north. */
enum { RING = 24 };

static struct str ring_factors(struct arena *arena, struct buf *b)
{
    static struct str texts[RING];
    static float vectors[RING * 2];
    struct err err;
    for (int i = 0; i < RING; i++) {
        double angle = 2 * M_PI * i / RING;
        texts[i] = arena_printf(arena, "at %02d", i);
        vectors[2 * i] = (float)cos(angle);
        vectors[2 * i + 1] = (float)sin(angle);
    }
    struct factors_out f = { .rank = 2, .items = RING, .texts = texts, .vectors = vectors, .alpha = 10, .lambda = 0.1 };
    buf_init(b, 1 << 16);
    cr_assert(factors_write(&f, b, &err), "%s", err.text);
    return buf_str(b);
}

static const struct line ring[] = {
    { "items_for_user", "ann", "at 07", 1 },
    { "popular", "", "at 12", 3 },
    { "popular", "", "at 13", 2 },
    { "seen", "ann", "at 06", 1 },
};

Test(recommend, a_history_is_folded_in_by_factors_over_all_items)
{
    struct model m;
    struct arena arena;
    struct buf b;
    struct recommend_event history[] = { { STR("at 00"), 1 } };
    arena_init(&arena, 4096);
    model_open(&m, ring, COUNT_OF(ring), ring_factors(&arena, &b));
    struct recommend_request q = {
        .of = RECOMMEND_USER, .id = STR("new"), .n = 3, .exclude_seen = true, .history = history, .history_count = 1
    };
    SAYS(
        &q,
        "at 01:fold-in at 23:fold-in at 02:fold-in"); /* nearest to 0; equal ones by text; what was asked with is left out */
    q.id = STR("ann");                                /* who had 6 (90 degrees): between 0 and 6 lies 3 */
    SAYS(&q, "at 03:fold-in at 02:fold-in at 04:fold-in");
    q.n = RECOMMEND_N_MAX; /* all but the two that were seen, each once */
    struct recommend_answer a;
    recommend(&m.r, &q, &m.arena, &a);
    cr_assert(eq(sz, a.count, RING - 2));
    q.history_count = 0;
    q.fill = true;
    SAYS(&q, "at 07:personal at 12:popular at 13:popular");
    buf_release(&b);
    model_close(&m);
    arena_release(&arena);
}

Test(recommend, diversity_puts_what_is_alike_further_down)
{
    struct model m;
    struct arena arena;
    struct buf b;
    static const struct line lines[] = {
        { "items_for_user", "ann", "at 00", 10 },  { "items_for_user", "ann", "at 01", 9.9 },
        { "items_for_user", "ann", "at 02", 9.8 }, { "items_for_user", "ann", "at 12", 6 },
        { "items_for_user", "ann", "at 06", 5 },
    };
    arena_init(&arena, 4096);
    model_open(&m, lines, COUNT_OF(lines), ring_factors(&arena, &b));
    struct recommend_request q = { .of = RECOMMEND_USER, .id = STR("ann"), .n = 3 };
    SAYS(&q, "at 00:personal at 01:personal at 02:personal");
    q.diversity = 0.5;
    SAYS(&q, "at 00:personal at 12:personal at 02:personal");
    q.n = 1;
    SAYS(&q, "at 00:personal");
    buf_release(&b);
    model_close(&m);
    model_open(&m, shop, COUNT_OF(shop), none); /* without factors: desk is on the list of lamp, and of chair */
    q = (struct recommend_request){ .of = RECOMMEND_USER, .id = STR("ann"), .n = 3, .diversity = 0.9 };
    SAYS(&q, "lamp:personal chair:personal desk:personal");
    model_close(&m);
    arena_release(&arena);
}

Test(recommend, an_artifact_without_lists_is_refused)
{
    struct arena arena;
    struct artifact_out o;
    struct artifact a;
    struct recommender r;
    struct buf b;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    arena_init(&arena, 4096);
    buf_init(&b, 1 << 16);
    artifact_begin(&o, "rewrites");
    artifact_add(&o, "card", STR("{}"));
    cr_assert(artifact_end(&o, &b, digest, &err));
    cr_assert(artifact_read(buf_str(&b), &a, &err));
    cr_assert_not(recommender_open(&a, &r, &arena, &err));
    cr_assert(eq(str, err.text, "artifact of kind \"rewrites\" has no section to recommend from"));
    buf_release(&b);
    arena_release(&arena);
}
