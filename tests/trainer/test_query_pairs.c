/* Related queries: against sums done by hand, and against looking at every pair. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "trainer/kernels/queries/queries.h"

enum { QUERIES = 40, DOCS = 30, TEXT_MAX = 32, ENTRIES = 12 };

/* Without limits. */
static struct query_pair_rules rules_all(void)
{
    return (struct query_pair_rules){ .use_clicks = true,
                                      .use_sessions = true,
                                      .min_llr = -1e18,
                                      .min_pair_count = 1,
                                      .prior_sessions = 10,
                                      .prior_clicks = 10,
                                      .max_length = 100,
                                      .top = QUERIES,
                                      .top_items = DOCS };
}

/* ---- log-likelihood ratio ---- */

Test(query_llr, is_dunnings)
{
    /* Dunning 1993, table of bigrams: "the swiss", 110 of 111 … 29114, all 31777 → 270.72. */
    cr_assert(ieee_ulp_eq(dbl, query_llr(0, 0, 0, 0), 0, 1));
    double llr = query_llr(110, 110 + 2442, 110 + 111, 31777);
    cr_assert(epsilon_eq(dbl, llr, 270.72, 0.01));
    cr_assert(epsilon_eq(dbl, query_llr(100, 1000, 1000, 10000), 0, 1e-9));
    cr_assert(lt(dbl, query_llr(10, 1000, 1000, 10000), -50));
    cr_assert(gt(dbl, query_llr(5, 5, 5, 10000), 50));
}

/* ---- words ---- */

Test(query_words, same_words_in_whatever_order)
{
    cr_assert(query_same_words(STR("red lamp"), STR("lamp red")));
    cr_assert(query_same_words(STR("t-shirt"), STR("t shirt")));
    cr_assert(not(query_same_words(STR("red lamp"), STR("red lamps"))));
    cr_assert(not(query_same_words(STR("?"), STR("!"))));
    cr_assert(epsilon_eq(dbl, query_token_overlap(STR("red desk lamp"), STR("lamp red sofa")), 0.5, 1e-12));
    cr_assert(ieee_ulp_eq(dbl, query_token_overlap(STR("a"), STR("b")), 0, 1));
}

/* ---- by hand ---- */

static struct query_record record(const char *text, uint64_t clicks, uint64_t sessions, const struct query_entry *docs,
                                  uint32_t docs_count, const struct query_entry *same, uint32_t same_count)
{
    return (
        struct query_record){ .text = str_of(text),
                              .searches = sessions,
                              .clicks = clicks,
                              .sessions = sessions,
                              .lists = { [QUERY_DOCS] = { docs, docs_count }, [QUERY_SAME] = { same, same_count } } };
}

struct found {
    struct buf blob;
    struct query_head head;
    struct query_pair_rules rules;
    struct query_pairs *pairs;
};

static void find_init(struct found *f, const struct query_record *records, size_t count, uint64_t sessions,
                      const struct query_pair_rules *rules)
{
    buf_init(&f->blob, 1 << 22);
    f->rules = *rules;
    cr_assert(query_head_write(records, count, sessions, &f->blob, NULL));
    cr_assert(query_head_read(buf_str(&f->blob), &f->head, NULL));
    f->pairs = query_pairs_new(&f->head, &f->rules);
}

static void find_release(struct found *f)
{
    query_pairs_free(f->pairs);
    buf_release(&f->blob);
}

static void check_lists(struct found *f, uint32_t query, const char *want)
{
    struct queries_lists l = { .query = query };
    struct buf b;
    buf_init(&b, 4096);
    query_pairs_find(f->pairs, query, &l.pairs, &l.pairs_count, &l.items, &l.items_count);
    for (uint32_t i = 0; i < l.pairs_count; i++)
        buf_addf(&b, STR_FMT " %.4f %.4f %.4f; ", STR_ARG(query_head_query(&f->head, l.pairs[i].query)),
                 (double)l.pairs[i].score, (double)l.pairs[i].coclick, (double)l.pairs[i].session);
    for (uint32_t i = 0; i < l.items_count; i++)
        buf_addf(&b, "| " STR_FMT " %.4f %u ", STR_ARG(query_head_doc(&f->head, l.items[i].doc)),
                 (double)l.items[i].score, l.items[i].clicks);
    cr_assert(str_eq_c(buf_str(&b), want), "got  %s\nwant %s", b.p, want);
    buf_release(&b);
}

/* lamp and light share d1; lamp and sofa share sessions; "sofa" was searched beside everything. */
static const struct query_entry lamp_docs[] = { { STR("d1"), 6 }, { STR("d2"), 4 } },
                                light_docs[] = { { STR("d1"), 3 }, { STR("d3"), 1 } },
                                sofa_docs[] = { { STR("d9"), 20 } };
static const struct query_entry lamp_same[] = { { STR("desk"), 8 }, { STR("sofa"), 5 }, { STR("unknown"), 2 } },
                                desk_same[] = { { STR("lamp"), 8 } }, sofa_same[] = { { STR("lamp"), 5 } };

static size_t small(struct query_record *out)
{
    out[0] = record("desk", 0, 16, NULL, 0, desk_same, 1);
    out[1] = record("lamp", 10, 20, lamp_docs, 2, lamp_same, 3);
    out[2] = record("light", 4, 10, light_docs, 2, NULL, 0);
    out[3] = record("sofa", 20, 250, sofa_docs, 1, sofa_same, 1);
    return 4;
}

Test(query_pairs, are_scored_by_clicks_and_sessions)
{
    struct query_record records[4];
    struct found f;
    struct query_pair_rules rules = rules_all();
    size_t count = small(records);
    rules.min_llr = 2;
    rules.min_overlap = 0.3;
    find_init(&f, records, count, 1000, &rules);
    /* coclick of lamp and light: min(6/10, 3/4) = 0.6. session of lamp and desk: (8 - 20·16/1000) / (20 + 10) = 0.256. Sofa: as by chance.
     * Documents: π of d1 = 3/4·w, of d3 = 1/4·w with w = 0.6/(0.6 + 0.256); (6 + 10·π)/20 … */
    check_lists(&f, 1,
                "light 0.6000 0.6000 0.0000; desk 0.2560 0.0000 0.2560; "
                "| d1 0.5629 6 | d2 0.2000 4 | d3 0.0876 0 ");
    check_lists(&f, 0, "lamp 0.2954 0.0000 0.2954; | d1 0.6000 0 | d2 0.4000 0 ");
    check_lists(&f, 3, "| d9 0.6667 20 ");
    find_release(&f);
}

Test(query_pairs, need_evidence_length_and_words)
{
    struct query_record records[4];
    struct found f;
    struct query_pair_rules rules = rules_all();
    size_t count = small(records);
    rules.min_llr = 3.84;
    rules.min_pair_count = 4; /* light has 3 clicks on what lamp has */
    find_init(&f, records, count, 1000, &rules);
    check_lists(&f, 1, "desk 0.2560 0.0000 0.2560; | d1 0.3000 6 | d2 0.2000 4 ");
    find_release(&f);
    rules = rules_all();
    rules.min_length = 5;
    find_init(&f, records, count, 1000, &rules);
    check_lists(&f, 1, "| d1 0.3000 6 | d2 0.2000 4 "); /* "lamp" is too short */
    find_release(&f);
    rules = rules_all();
    rules.min_token_overlap = 0.1;
    find_init(&f, records, count, 1000, &rules);
    check_lists(&f, 1, "| d1 0.3000 6 | d2 0.2000 4 ");
    find_release(&f);
}

/* A document that is clicked for everything, and as often for these two as for all others, pairs nothing. */
Test(query_pairs, what_is_clicked_for_everything_says_nothing)
{
    static char texts[QUERIES][TEXT_MAX];
    static struct query_entry docs[QUERIES][2];
    struct query_record records[QUERIES];
    struct query_pair_rules rules = rules_all();
    struct found f;
    rules.min_llr = 3.84;
    for (int i = 0; i < QUERIES; i++) {
        (void)snprintf(texts[i], TEXT_MAX, "query %02d", i);
        docs[i][0] = (struct query_entry){ STR("home"), 50 };
        docs[i][1] = (struct query_entry){ str_of(texts[i < 2 ? 0 : i]),
                                           50 }; /* the first two have one of their own in common */
        records[i] = record(texts[i], 100, 100, docs[i], 2, NULL, 0);
    }
    find_init(&f, records, QUERIES, 10000, &rules);
    const struct query_pair *pairs;
    const struct query_item *items;
    uint32_t count, items_count;
    query_pairs_find(f.pairs, 0, &pairs, &count, &items, &items_count);
    cr_assert(eq(u32, count, 1));
    cr_assert(eq(u32, pairs[0].query, 1));
    query_pairs_find(f.pairs, 5, &pairs, &count, &items, &items_count);
    cr_assert(eq(u32, count, 0));
    find_release(&f);
}

/* ---- every pair ---- */

static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 33) % below;
}

struct made {
    char texts[QUERIES][TEXT_MAX], docs[DOCS][TEXT_MAX];
    struct query_entry entries[QUERIES][ENTRIES];
    struct query_record records[QUERIES];
};

static void make(struct made *m)
{
    uint64_t state = 88172645463325252ULL;
    for (int d = 0; d < DOCS; d++)
        (void)snprintf(m->docs[d], TEXT_MAX, "doc-%d", d);
    for (int q = 0; q < QUERIES; q++) {
        uint32_t n = 0, first = draw(&state, DOCS);
        uint64_t clicks = 0;
        (void)snprintf(m->texts[q], TEXT_MAX, "query %02d", q);
        for (; n < ENTRIES && n < 1 + (uint32_t)q % ENTRIES; n++) {
            m->entries[q][n] = (struct query_entry){ str_of(m->docs[(first + n * 7) % DOCS]), 1 + draw(&state, 9) };
            clicks += m->entries[q][n].count;
        }
        m->records[q] = record(m->texts[q], clicks, 50, m->entries[q], n, NULL, 0);
    }
}

static double overlap_of(const struct query_record *a, const struct query_record *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->lists[QUERY_DOCS].count; i++)
        for (uint32_t k = 0; k < b->lists[QUERY_DOCS].count; k++)
            if (str_eq(a->lists[QUERY_DOCS].entries[i].text, b->lists[QUERY_DOCS].entries[k].text))
                sum += fmin((double)a->lists[QUERY_DOCS].entries[i].count / (double)a->clicks,
                            (double)b->lists[QUERY_DOCS].entries[k].count / (double)b->clicks);
    return sum;
}

Test(query_pairs, are_those_of_looking_at_every_pair)
{
    static struct made m;
    struct query_pair_rules rules = rules_all();
    struct found f;
    uint32_t pairs_seen = 0;
    make(&m);
    rules.min_overlap = 0.1;
    find_init(&f, m.records, QUERIES, 1000, &rules);
    for (uint32_t q = 0; q < QUERIES; q++) {
        struct queries_lists l = { .query = q };
        uint32_t wanted = 0;
        query_pairs_find(f.pairs, q, &l.pairs, &l.pairs_count, &l.items, &l.items_count);
        for (uint32_t k = 0; k < QUERIES; k++)
            wanted += k != q && overlap_of(&m.records[q], &m.records[k]) >= rules.min_overlap;
        cr_assert(eq(u32, l.pairs_count, wanted));
        for (uint32_t i = 0; i < l.pairs_count; i++) {
            cr_assert(epsilon_eq(flt, l.pairs[i].coclick,
                                 (float)overlap_of(&m.records[q], &m.records[l.pairs[i].query]), 1e-6F));
            cr_assert(i == 0 ? 1 : l.pairs[i - 1].score >= l.pairs[i].score);
        }
        pairs_seen += wanted;
    }
    cr_assert(gt(u32, pairs_seen, 50));
    find_release(&f);
}

Test(query_head, damaged_ones_are_refused)
{
    struct query_record records[4];
    struct query_head head;
    struct buf b;
    struct err err;
    size_t count = small(records);
    buf_init(&b, 1 << 16);
    cr_assert(query_head_write(records, count, 1000, &b, &err));
    for (size_t cut = 0; cut < b.n; cut++)
        cr_assert(not(query_head_read((struct str){ b.p, cut }, &head, &err)));
    for (size_t i = 0; i < b.n; i++) { /* whatever a byte says, nothing is read beyond the blob */
        b.p[i] ^= (char)0xFF;
        if (query_head_read(buf_str(&b), &head, &err))
            for (uint32_t q = 0; q < head.sizes.queries; q++)
                cr_assert(le(sz, query_head_query(&head, q).n, b.n));
        b.p[i] ^= (char)0xFF;
    }
    buf_release(&b);
}

/* ---- judging ---- */

Test(query_judge, values_of_a_list)
{
    const struct query_entry later[] = { { STR("a"), 6 }, { STR("b"), 3 }, { STR("c"), 1 } };
    const struct query_list l = { later, 3 };
    const struct str list[] = { STR("x"), STR("a"), STR("c") };
    double v[QUERY_JUDGE_METRICS];
    query_judge_values(list, 3, &l, v);
    cr_assert(epsilon_eq(dbl, v[QUERY_JUDGE_HIT_RATE], 0.7, 1e-12));
    cr_assert(epsilon_eq(dbl, v[QUERY_JUDGE_MRR], (6 / 2.0 + 1 / 3.0) / 10, 1e-12));
    cr_assert(epsilon_eq(dbl, v[QUERY_JUDGE_NDCG], (6 / log2(3) + 1 / 2.0) / (6 + 3 / log2(3) + 1 / 2.0), 1e-12));
    query_judge_values(list, 0, &l, v);
    cr_assert(ieee_ulp_eq(dbl, v[QUERY_JUDGE_NDCG], 0, 1));
}

static struct lists lists_made(struct buf *b, const char *key, const char *entry)
{
    static const char *const columns[] = { "score" };
    const float one = 1;
    struct lists_out o;
    struct lists l;
    buf_init(b, 4096);
    lists_begin(&o, columns, 1);
    lists_key(&o, str_of(key));
    lists_add(&o, str_of(entry), &one);
    cr_assert(lists_end(&o, b, NULL));
    cr_assert(lists_read(buf_str(b), &l, NULL));
    return l;
}

Test(query_judge, candidate_and_champion_are_asked_for_the_same_queries)
{
    const struct query_entry next[] = { { STR("desk"), 2 } };
    struct query_record lamp = { .text = STR("lamp"), .lists = { [QUERY_NEXT] = { next, 1 } } }, sofa = lamp;
    struct query_judged parts[2] = { { .listed = { 0 } }, { .listed = { 0 } } }, all;
    struct buf bytes[2];
    struct lists candidate = lists_made(&bytes[0], "lamp", "desk"), champion = lists_made(&bytes[1], "sofa", "desk");
    sofa.text = STR("sofa");
    query_judge_add(&parts[0], QUERY_JUDGE_NEXT, &candidate, &champion, true, &lamp);
    query_judge_add(&parts[1], QUERY_JUDGE_NEXT, &candidate, &champion, true, &sofa);
    query_judge_add(&parts[1], QUERY_JUDGE_ITEMS, &candidate, NULL, true,
                    &sofa); /* nothing was clicked later: it does not count */
    query_judge_merge(parts, 2, &all);
    const struct moments2 *m = &all.m[QUERY_JUDGE_NEXT][QUERY_JUDGE_HIT_RATE];
    cr_assert(eq(i64, m->n, 2));
    cr_assert(epsilon_eq(dbl, m->mean_x, 0.5, 1e-12));
    cr_assert(epsilon_eq(dbl, m->mean_y, 0.5, 1e-12));
    cr_assert(lt(dbl, m->cxy, 0));
    cr_assert(eq(u64, all.listed[QUERY_JUDGE_NEXT], 1));
    cr_assert(eq(i64, all.m[QUERY_JUDGE_ITEMS][0].n, 0));
    buf_release(&bytes[0]);
    buf_release(&bytes[1]);
}
