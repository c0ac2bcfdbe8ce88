#include "trainer/kernels/tail/tail_heads.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/pair_table.h"

enum { SQUASHED_EDITS = 1 };

/* ---- indexes ---- */

struct link {
    uint32_t key, value;
};
struct links {
    struct link *list;
    size_t count, room;
};

static void link_add(struct links *l, uint32_t key, uint32_t value)
{
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 1024;
        l->list = mem_realloc(l->list, l->room * sizeof *l->list);
    }
    l->list[l->count++] = (struct link){ key, value };
}

/* Counting sort by key: values stay in the order in which they came. */
static struct tail_index index_make(struct links *l, uint32_t keys, struct arena *arena)
{
    struct tail_index x = { arena_zalloc(arena, ((size_t)keys + 2) * sizeof *x.from),
                            arena_alloc(arena, (l->count + 1) * sizeof *x.values), keys };
    for (size_t i = 0; i < l->count; i++)
        x.from[l->list[i].key + 2]++;
    for (uint32_t k = 2; k <= keys + 1; k++)
        x.from[k] += x.from[k - 1];
    for (size_t i = 0; i < l->count; i++)
        x.values[x.from[l->list[i].key + 1]++] = l->list[i].value;
    mem_free(l->list);
    return x;
}

/* ---- heads ---- */

static int by_traffic(const void *a, const void *b)
{
    const struct tail_head *x = a, *y = b;
    if (x->query->clicks != y->query->clicks)
        return x->query->clicks > y->query->clicks ? -1 : 1;
    if (x->query->searches != y->query->searches)
        return x->query->searches > y->query->searches ? -1 : 1;
    return pair_text_compare(x->query->text, y->query->text);
}

static void head_init(struct tail_heads *h, struct tail_head *head)
{
    char squashed[QUERY_TEXT_MAX];
    words_split(head->query->text, &head->words);
    head->squashed = arena_str(h->arena, words_squash(&head->words, squashed));
}

static int by_doc(const void *a, const void *b)
{
    const struct tail_doc *x = a, *y = b;
    return x->doc < y->doc ? -1 : x->doc > y->doc;
}

/* Its documents, and those that lead to it. */
static void number_docs(struct tail_heads *h, uint32_t number, struct links *links)
{
    struct tail_head *head = &h->heads[number];
    const struct query_list *list = &head->query->lists[QUERY_DOCS];
    struct tail_doc *docs = arena_alloc(h->arena, ((size_t)list->count + 1) * sizeof *docs);
    double clicks = 0;
    for (uint32_t i = 0; i < list->count; i++)
        clicks += (double)list->entries[i].count;
    for (uint32_t i = 0; i < list->count; i++) {
        docs[i] = (struct tail_doc){ intern_add(&h->docs, list->entries[i].text),
                                     (double)list->entries[i].count / clicks };
        if (i < TAIL_DOCS && docs[i].share >= TAIL_DOC_SHARE)
            link_add(links, docs[i].doc, number);
    }
    if (list->count)
        qsort(docs, list->count, sizeof *docs, by_doc);
    head->docs = docs;
    head->docs_count = list->count;
}

static void number_all(struct tail_heads *h)
{
    struct links words = { 0 }, docs = { 0 };
    for (uint32_t n = 0; n < h->count; n++) {
        struct tail_head *head = &h->heads[n];
        (void)intern_add(&h->texts, head->query->text);
        for (uint32_t i = 0; i < head->words.count; i++) {
            head->ids[i] = intern_add(&h->words, head->words.texts[i]);
            link_add(&words, head->ids[i], n);
        }
        number_docs(h, n, &docs);
    }
    h->head_words = h->words.count;
    h->by_word = index_make(&words, h->words.count, h->arena);
    h->by_doc = index_make(&docs, h->docs.count, h->arena);
}

static void weigh_words(struct tail_heads *h, const struct tail_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)intern_add(&h->words, words[i].text);
    h->weights = arena_alloc(h->arena, ((size_t)h->words.count + 1) * sizeof *h->weights);
    h->rare = arena_alloc(h->arena, (size_t)h->words.count + 1);
    for (uint32_t i = 0; i < h->words.count; i++) {
        h->weights[i] = log1p(h->queries);
        h->rare[i] = true;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t id = intern_add(&h->words, words[i].text);
        h->weights[id] = log1p(h->queries / (double)(words[i].queries ? words[i].queries : 1));
        h->rare[id] = false;
    }
}

static int by_text(const void *a, const void *b, void *arg)
{
    const uint32_t *x = a, *y = b;
    const struct intern *words = arg;
    return pair_text_compare(words->texts[*x], words->texts[*y]);
}

static void index_texts(struct tail_heads *h)
{
    uint32_t near = 0;
    h->near_words = near_new(2, 8);
    h->near_squashed = near_new(SQUASHED_EDITS, 16); /* many begin with the same word */
    h->near_word_ids = arena_alloc(h->arena, ((size_t)h->head_words + 1) * sizeof *h->near_word_ids);
    h->sorted_words = arena_alloc(h->arena, ((size_t)h->head_words + 1) * sizeof *h->sorted_words);
    for (uint32_t i = 0; i < h->head_words; i++) {
        h->sorted_words[i] = i;
        if (words_have_digit(h->words.texts[i]))
            continue;
        near_add(h->near_words, h->words.texts[i]);
        h->near_word_ids[near++] = i;
    }
    for (uint32_t i = 0; i < h->count; i++)
        near_add(h->near_squashed, h->heads[i].squashed);
    near_end(h->near_words);
    near_end(h->near_squashed);
    qsort_r(h->sorted_words, h->head_words, sizeof *h->sorted_words, by_text, &h->words);
}

void tail_heads_init(struct tail_heads *h, struct arena *arena, const struct query_record *queries, size_t count,
                     const struct tail_word *words, size_t words_count, uint64_t total_queries)
{
    *h = (struct tail_heads){ .arena = arena, .count = (uint32_t)count, .queries = (double)total_queries };
    intern_init(&h->texts);
    intern_init(&h->words);
    intern_init(&h->docs);
    h->heads = arena_zalloc(arena, (count + 1) * sizeof *h->heads);
    for (size_t i = 0; i < count; i++)
        h->heads[i].query = &queries[i];
    if (count)
        qsort(h->heads, count, sizeof *h->heads, by_traffic);
    for (size_t i = 0; i < count; i++)
        head_init(h, &h->heads[i]);
    number_all(h);
    weigh_words(h, words, words_count);
    index_texts(h);
}

void tail_heads_release(struct tail_heads *h)
{
    intern_release(&h->texts);
    intern_release(&h->words);
    intern_release(&h->docs);
    near_free(h->near_words);
    near_free(h->near_squashed);
}

/* ---- looking up ---- */

double tail_heads_weight(const struct tail_heads *h, struct str word, bool *out_rare)
{
    uint32_t id = intern_find(&h->words, word);
    *out_rare = id == UINT32_MAX || h->rare[id];
    return id == UINT32_MAX ? log1p(h->queries) : h->weights[id];
}

uint32_t tail_heads_word(const struct tail_heads *h, struct str word)
{
    uint32_t id = intern_find(&h->words, word);
    return id < h->head_words ? id : UINT32_MAX;
}

uint32_t tail_heads_find(const struct tail_heads *h, struct str text)
{
    return intern_find(&h->texts, text);
}

/* ---- candidates ---- */

struct found {
    const struct tail_heads *h;
    unsigned char *seen; /* of each head */
    uint32_t *list;
    size_t count;
};

static void take(struct found *f, uint32_t head)
{
    if (!f->seen[head])
        f->list[f->count++] = head;
    f->seen[head] = 1;
}

static void take_all(struct found *f, const struct tail_index *x, uint32_t key)
{
    for (uint32_t i = 0; i < TAIL_COMMON && x->from[key] + i < x->from[key + 1]; i++)
        take(f, x->values[x->from[key] + i]);
}

static void take_near(struct found *f, struct str word, double scale)
{
    uint32_t near[TAIL_NEAR];
    unsigned edits = words_edits(word, scale);
    size_t n = edits ? near_find(f->h->near_words, word, edits, near, TAIL_NEAR) : 0;
    for (size_t i = 0; i < n; i++)
        take_all(f, &f->h->by_word, f->h->near_word_ids[near[i]]);
}

/* Words of heads that begin with it. */
static void take_begun(struct found *f, struct str word)
{
    const struct tail_heads *h = f->h;
    uint32_t lo = 0, hi = h->head_words;
    if (words_chars(word) < TAIL_PREFIX_CHARS || words_have_digit(word))
        return;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (pair_text_compare(h->words.texts[h->sorted_words[mid]], word) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (uint32_t i = lo; i < h->head_words && i - lo < TAIL_NEAR; i++) {
        if (!str_starts(h->words.texts[h->sorted_words[i]], word))
            break;
        take_all(f, &h->by_word, h->sorted_words[i]);
    }
}

static void take_by_words(struct found *f, const struct query_record *q, double scale)
{
    char squashed[QUERY_TEXT_MAX];
    uint32_t near[TAIL_NEAR];
    struct words w;
    words_split(q->text, &w);
    for (uint32_t i = 0; i < w.count; i++) {
        uint32_t id = tail_heads_word(f->h, w.texts[i]);
        if (id != UINT32_MAX)
            take_all(f, &f->h->by_word, id);
        else
            take_near(f, w.texts[i], scale);
        if (i + 1 == w.count)
            take_begun(f, w.texts[i]);
    }
    struct str whole = words_squash(&w, squashed);
    unsigned edits = words_edits(whole, scale) > SQUASHED_EDITS ? SQUASHED_EDITS : words_edits(whole, scale);
    size_t n = whole.n ? near_find(f->h->near_squashed, whole, edits, near, TAIL_NEAR) : 0;
    for (size_t i = 0; i < n; i++)
        take(f, near[i]);
}

size_t tail_heads_candidates(const struct tail_heads *h, const struct query_record *q, double scale, uint32_t **out)
{
    struct found f = { .h = h,
                       .seen = mem_zalloc((size_t)h->count + 1),
                       .list = mem_alloc(((size_t)h->count + 1) * sizeof *f.list) };
    const struct query_list *docs = &q->lists[QUERY_DOCS], *next = &q->lists[QUERY_NEXT];
    take_by_words(&f, q, scale);
    for (uint32_t i = 0; i < docs->count && i < TAIL_DOCS; i++) {
        uint32_t doc = intern_find(&h->docs, docs->entries[i].text);
        if (doc != UINT32_MAX)
            take_all(&f, &h->by_doc, doc);
    }
    for (uint32_t i = 0; i < next->count; i++) {
        uint32_t head = tail_heads_find(h, next->entries[i].text);
        if (head != UINT32_MAX)
            take(&f, head);
    }
    mem_free(f.seen);
    *out = f.list;
    return f.count;
}
