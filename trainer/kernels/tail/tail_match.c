#include "trainer/kernels/tail/tail_match.h"

#include <assert.h>
#include <math.h>

#include "stats/proportion.h"

const char *const tail_reason_names[] = { "spelling",  "number_unit", "re_ordering", "unfinished",    "missing_words",
                                          "rare_term", "extra_words", "re_wording",  "other_specific" };
static_assert(sizeof tail_reason_names / sizeof *tail_reason_names == TAIL_REASON_COUNT, "one name a reason");

enum { SHRINK = 2, NONE = -1 };

/* ---- the tail's side, the same for all heads ---- */

struct tail_next {
    uint32_t head;
    uint64_t count;
};

struct tail_side {
    const struct query_record *query;
    struct words words;
    char squashed_bytes[QUERY_TEXT_MAX];
    struct str squashed;
    double clicks;                        /* on documents */
    struct tail_doc docs[QUERY_LIST_MAX]; /* UINT32_MAX: of no head */
    double next_sum;
    struct tail_next next[QUERY_LIST_MAX]; /* that are heads */
    uint32_t next_count;
};

static void side_of(const struct tail_heads *h, const struct query_record *q, struct tail_side *s)
{
    const struct query_list *docs = &q->lists[QUERY_DOCS], *next = &q->lists[QUERY_NEXT];
    s->query = q;
    s->clicks = s->next_sum = 0;
    s->next_count = 0;
    words_split(q->text, &s->words);
    s->squashed = words_squash(&s->words, s->squashed_bytes);
    for (uint32_t i = 0; i < docs->count; i++)
        s->clicks += (double)docs->entries[i].count;
    for (uint32_t i = 0; i < docs->count; i++)
        s->docs[i] = (struct tail_doc){ intern_find(&h->docs, docs->entries[i].text),
                                        (double)docs->entries[i].count / s->clicks };
    for (uint32_t i = 0; i < next->count; i++) {
        uint32_t head = tail_heads_find(h, next->entries[i].text);
        s->next_sum += (double)next->entries[i].count;
        if (head != UINT32_MAX)
            s->next[s->next_count++] = (struct tail_next){ head, next->entries[i].count };
    }
}

/* ---- words beside words ---- */

struct aligned {
    struct words words;
    int to[WORDS_MAX];     /* of each of the tail's words: the head's word; NONE */
    bool taken[WORDS_MAX]; /* of each of the head's words */
    uint32_t exact, near, begun;
    unsigned edits;
    double sum, shared; /* of weights */
};

static double weight_of(const struct tail_heads *h, struct str word)
{
    bool rare;
    return tail_heads_weight(h, word, &rare);
}

/* Both words weigh as much as the head's: what is meant by the tail's. */
static void pair(struct aligned *a, const struct tail_heads *h, const struct words *head, uint32_t i, uint32_t j,
                 double right)
{
    double w = weight_of(h, head->texts[j]);
    a->to[i] = (int)j;
    a->taken[j] = true;
    a->shared += right * w;
    a->sum += 2 * w;
}

static void align_exact(struct aligned *a, const struct tail_heads *h, const struct words *head)
{
    for (uint32_t i = 0; i < a->words.count; i++) {
        a->to[i] = NONE;
        for (uint32_t j = 0; j < head->count && a->to[i] == NONE; j++)
            if (!a->taken[j] && str_eq(a->words.texts[i], head->texts[j])) {
                pair(a, h, head, i, j, 1);
                a->exact++;
            }
    }
}

/* The nearest of the head's words that are left. */
static void align_near(struct aligned *a, const struct tail_heads *h, const struct words *head, double scale)
{
    for (uint32_t i = 0; i < a->words.count; i++) {
        unsigned limit = a->to[i] == NONE ? words_edits(a->words.texts[i], scale) : 0, best = limit + 1;
        uint32_t best_j = 0;
        for (uint32_t j = 0; limit && j < head->count; j++) {
            if (a->taken[j] || words_have_digit(head->texts[j]))
                continue;
            unsigned d = words_distance(a->words.texts[i], head->texts[j], limit);
            if (d < best) {
                best = d;
                best_j = j;
            }
        }
        if (best > limit)
            continue;
        pair(a, h, head, i, best_j, 1 - (double)best / (double)words_chars(a->words.texts[i]));
        a->near++;
        a->edits += best;
    }
}

static void align_begun(struct aligned *a, const struct tail_heads *h, const struct words *head)
{
    uint32_t i = a->words.count - 1;
    struct str word = a->words.texts[i];
    if (a->to[i] != NONE || words_chars(word) < TAIL_PREFIX_CHARS || words_have_digit(word))
        return;
    for (uint32_t j = 0; j < head->count; j++)
        if (!a->taken[j] && str_starts(head->texts[j], word)) {
            pair(a, h, head, i, j, (double)words_chars(word) / (double)words_chars(head->texts[j]));
            a->begun++;
            return;
        }
}

static void add_left(struct aligned *a, const struct tail_heads *h, const struct words *head)
{
    for (uint32_t i = 0; i < a->words.count; i++)
        if (a->to[i] == NONE)
            a->sum += weight_of(h, a->words.texts[i]);
    for (uint32_t j = 0; j < head->count; j++)
        if (!a->taken[j])
            a->sum += weight_of(h, head->texts[j]);
}

static void align(struct aligned *a, const struct tail_heads *h, const struct words *words, const struct words *head,
                  double scale)
{
    *a = (struct aligned){ .words = *words };
    if (a->words.count == 0)
        return;
    align_exact(a, h, head);
    align_near(a, h, head, scale);
    align_begun(a, h, head);
    add_left(a, h, head);
}

/* ---- the witnesses ---- */

/* Edits between the texts without their spaces, when they are few enough; else UINT_MAX. */
static unsigned squashed_edits(const struct tail_side *s, const struct tail_head *head, double scale, double *out_alike)
{
    unsigned limit = words_edits(s->squashed, scale);
    unsigned d = words_distance(s->squashed, head->squashed, limit);
    if (!s->squashed.n || d > limit || (d > 0 && words_have_digit(head->squashed)))
        return UINT32_MAX;
    *out_alike = 1 - (double)d / (double)words_chars(s->squashed);
    return d;
}

static double share_of(const struct tail_head *head, uint32_t doc)
{
    uint32_t lo = 0, hi = head->docs_count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (head->docs[mid].doc == doc)
            return head->docs[mid].share;
        if (head->docs[mid].doc < doc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

static double overlap(const struct tail_side *s, const struct tail_head *head, uint32_t *out_docs)
{
    double shared = 0;
    *out_docs = 0;
    for (uint32_t i = 0; i < s->query->lists[QUERY_DOCS].count; i++) {
        double share = s->docs[i].doc == UINT32_MAX ? 0 : share_of(head, s->docs[i].doc);
        shared += fmin(share, s->docs[i].share);
        *out_docs += share > 0;
    }
    return shared;
}

static double came_next(const struct tail_side *s, uint32_t head, uint64_t *out_next)
{
    *out_next = 0;
    for (uint32_t i = 0; i < s->next_count; i++)
        if (s->next[i].head == head)
            *out_next = s->next[i].count;
    return (double)*out_next / (s->next_sum + SHRINK);
}

double tail_click_rate(const struct query_record *q)
{
    uint64_t clicked = q->clicks < q->searches ? q->clicks : q->searches;
    return q->searches ? (double)clicked / (double)q->searches : 0;
}

/* The head's searches end in clicks less often, by more than chance. */
static bool does_worse(const struct query_record *q, const struct query_record *head, double z)
{
    const struct proportions c = { .x_c = (int64_t)(q->clicks < q->searches ? q->clicks : q->searches),
                                   .n_c = (int64_t)q->searches,
                                   .x_t = (int64_t)(head->clicks < head->searches ? head->clicks : head->searches),
                                   .n_t = (int64_t)head->searches };
    if (c.n_c == 0 || c.n_t == 0)
        return false;
    double se = proportion_se_pooled(&c);
    return se > 0 && proportion_difference(&c) < -z * se;
}

/* ---- why ---- */

/* Of the tail's words that the head does not have. */
struct left {
    uint32_t count, measures, rare, head, head_plain; /* plain: no numbers, no units */
    bool head_number;
};

static struct left left_of(const struct tail_heads *h, const struct aligned *a, const struct words *head)
{
    struct left left = { 0 };
    for (uint32_t i = 0; i < a->words.count; i++) {
        bool rare;
        if (a->to[i] != NONE)
            continue;
        (void)tail_heads_weight(h, a->words.texts[i], &rare);
        left.count++;
        left.measures += words_measure(&a->words, i);
        left.rare += rare;
    }
    for (uint32_t j = 0; j < head->count; j++) {
        left.head += !a->taken[j];
        left.head_plain += !a->taken[j] && !words_measure(head, j);
        left.head_number |= !a->taken[j] && words_have_digit(head->texts[j]);
    }
    return left;
}

static enum tail_reason reason_of(const struct aligned *a, const struct left *left, unsigned squashed)
{
    bool same = left->count == 0 && left->head == 0;
    if (a->near)
        return TAIL_SPELLING;
    if (a->begun)
        return TAIL_UNFINISHED;
    if (same)
        return TAIL_RE_ORDERING;
    if (squashed != UINT32_MAX)
        return TAIL_SPELLING;
    if (left->count && left->measures == left->count && left->head_plain == 0)
        return TAIL_NUMBER_UNIT;
    if (left->count == 0)
        return TAIL_MISSING_WORDS;
    if (left->rare)
        return TAIL_RARE_TERM;
    return left->head == 0 ? TAIL_EXTRA_WORDS : TAIL_RE_WORDING;
}

/* Where no head is like it. */
static enum tail_reason reason_alone(const struct tail_heads *h, const struct query_record *q)
{
    struct words w;
    bool rare, any_rare = false;
    words_split(q->text, &w);
    for (uint32_t i = 0; i < w.count; i++) {
        if (words_measure(&w, i))
            return TAIL_NUMBER_UNIT;
        (void)tail_heads_weight(h, w.texts[i], &rare);
        any_rare |= rare;
    }
    return any_rare ? TAIL_RARE_TERM : TAIL_OTHER_SPECIFIC;
}

/* ---- one head ---- */

static struct tail_evidence weigh(const struct tail_heads *h, const struct tail_rules *rules, const struct tail_side *s,
                                  uint32_t number, enum tail_reason *out_reason)
{
    const struct tail_head *head = &h->heads[number];
    struct tail_evidence e = { .words = 0 };
    struct aligned a;
    double alike = 0;
    align(&a, h, &s->words, &head->words, rules->length_scale);
    struct left left = left_of(h, &a, &head->words);
    unsigned squashed = squashed_edits(s, head, rules->length_scale, &alike);
    double shared = overlap(s, head, &e.shared_docs);
    e.text = fmax(a.sum > 0 ? 2 * a.shared / a.sum : 0, alike);
    e.documents = shared * s->clicks / (s->clicks + SHRINK);
    e.sessions = came_next(s, number, &e.next);
    e.confidence = 1 - (1 - TAIL_TEXT * e.text) * (1 - TAIL_DOCUMENTS * e.documents) * (1 - TAIL_SESSIONS * e.sessions);
    e.words = a.words.count;
    e.head_words = head->words.count;
    e.shared_words = a.exact;
    e.edits = a.near ? a.edits : squashed != UINT32_MAX ? squashed : 0;
    e.click_rate = tail_click_rate(s->query);
    e.head_click_rate = tail_click_rate(head->query);
    bool elsewhere = s->clicks >= (double)rules->min_clicks && shared < rules->min_overlap;
    bool number_more = left.head_number && squashed == UINT32_MAX;
    e.refused = elsewhere || number_more || does_worse(s->query, head->query, rules->z);
    *out_reason = reason_of(&a, &left, squashed);
    return e;
}

/* ---- all of them ---- */

/* Heads are numbered by traffic: of two that are as good, the one of more traffic comes first. */
struct tail_match tail_match(const struct tail_heads *h, const struct tail_rules *rules, const struct query_record *q)
{
    uint32_t *list;
    size_t count = tail_heads_candidates(h, q, rules->length_scale, &list);
    struct tail_match m = { reason_alone(h, q), UINT32_MAX, { .words = 0 } };
    struct tail_side side;
    uint32_t like = UINT32_MAX;
    double like_text = 0;
    side_of(h, q, &side);
    for (size_t i = 0; i < count; i++) {
        enum tail_reason reason;
        if (str_eq(h->heads[list[i]].query->text, q->text))
            continue;
        struct tail_evidence e = weigh(h, rules, &side, list[i], &reason);
        if (e.text > like_text || (e.text == like_text && e.text > 0 && list[i] < like)) {
            like = list[i];
            like_text = e.text;
        }
        if (e.refused || e.confidence < rules->min_confidence)
            continue;
        if (m.head != UINT32_MAX &&
            (e.confidence < m.evidence.confidence || (e.confidence == m.evidence.confidence && list[i] > m.head)))
            continue;
        m = (struct tail_match){ reason, list[i], e };
    }
    mem_free(list);
    if (m.head == UINT32_MAX && like_text >= TAIL_TEXT_LEAST)
        (void)weigh(h, rules, &side, like, &m.reason);
    return m;
}
