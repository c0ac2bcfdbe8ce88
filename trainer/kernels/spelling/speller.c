#include "trainer/kernels/spelling/speller.h"

#include <math.h>

#include "trainer/kernels/spelling/distance.h"
#include "trainer/kernels/spelling/edits.h"
#include "trainer/kernels/spelling/sound.h"

/* Fitted together with edit_costs. */
#define WEIGHT_COUNTS 0.576
#define WEIGHT_SAME_SOUND 0.579
#define WEIGHT_SOUND_APART 0.832
#define LEAST_SHARE 1e-12
#define KNOWN_ODDS 3.0
#define CLICKS_FACTOR_MAX 5.0
#define ZERO_FACTOR 9.0
enum { SOUND_APART_MAX = 8, PART_MIN = 2, PAIR_MAX = 2 * LETTERS_MAX * 4 + 2, NO_TERM = UINT32_MAX };

const struct spell_rules spell_rules_default = { .max_distance = 2,
                                                 .min_prefix = 1,
                                                 .min_letters = 5,
                                                 .length_scale = 5,
                                                 .ratio = 3,
                                                 .counts = 1,
                                                 .edits = 1,
                                                 .sound = 1,
                                                 .last = 1,
                                                 .sessions = 1,
                                                 .context = 0.5 };

struct speller {
    const struct head *head;
    struct spell_rules rules;
    struct head_search search;
    double *scores;
    uint32_t count, room;
    char split[PAIR_MAX]; /* of the best that is two words which the head has only one by one */
};

struct speller *speller_new(const struct head *head, const struct spell_rules *rules)
{
    struct speller *s = mem_zalloc(sizeof *s);
    s->head = head;
    s->rules = *rules;
    head_search_init(&s->search, head);
    return s;
}

void speller_free(struct speller *s)
{
    if (!s)
        return;
    head_search_release(&s->search);
    mem_free(s->scores);
    mem_free(s);
}

/* ---- what was typed ---- */

struct asked {
    const struct spell_typed *typed;
    struct letters letters, key;
    bool word;
};

/* Every word of it is one that others may be corrected to. */
static bool words_known(const struct speller *s, struct str text)
{
    struct str word;
    uint32_t term;
    while (str_split(&text, ' ', &word))
        if (!head_find(s->head, word, &term) ||
            (!s->head->listed[term] && s->head->searches[term] < s->rules.least_word))
            return false;
    return true;
}

static bool ask(const struct speller *s, const struct spell_typed *typed, struct asked *out)
{
    uint32_t term;
    *out = (struct asked){ .typed = typed };
    if (!letters_of(typed->text, &out->letters) || out->letters.n < s->rules.min_letters ||
        (head_find(s->head, typed->text, &term) && s->head->listed[term]))
        return false;
    sound_key(&out->letters, &out->key);
    out->word = !memchr(typed->text.p, ' ', typed->text.n);
    return true;
}

static uint32_t most_of(const struct speller *s, const struct asked *a)
{
    double scaled = s->rules.length_scale > 0 ? a->letters.n / s->rules.length_scale : HEAD_DISTANCE_MAX;
    return scaled < s->rules.max_distance ? (uint32_t)scaled : s->rules.max_distance;
}

/* ---- how probable a correction is by itself ---- */

static double share(const struct speller *s, uint64_t searches, uint64_t listed)
{
    double w = s->rules.dictionary, all = (double)s->head->traffic + w;
    double in_dictionary = s->head->dictionary ? (double)listed / (double)s->head->dictionary : 0;
    double p = all > 0 ? ((double)searches + w * in_dictionary) / all : 0;
    return p > LEAST_SHARE ? p : LEAST_SHARE;
}

/* Searches with both words side by side, and with the one that stood beside. */
static double follows(const struct head *h, const struct spell_beside *b, struct str word)
{
    char pair[PAIR_MAX];
    uint32_t beside, both;
    struct str first = b->before ? b->word : word, second = b->before ? word : b->word;
    if (first.n + second.n + 1 > sizeof pair || !head_find(h, b->word, &beside) || h->searches[beside] == 0)
        return -1;
    memcpy(pair, first.p, first.n);
    pair[first.n] = ' ';
    memcpy(pair + first.n + 1, second.p, second.n);
    if (!head_find(h, (struct str){ pair, first.n + 1 + second.n }, &both))
        return 0;
    double p = (double)h->searches[both] / (double)h->searches[beside];
    return p < 1 ? p : 1;
}

static double log_share(const struct speller *s, const struct asked *a, struct str meant, double alone)
{
    double sum = 0, weight = 0;
    for (uint32_t i = 0; i < a->typed->beside_count && s->rules.context > 0; i++) {
        const struct spell_beside *b = &a->typed->beside[i];
        double p = follows(s->head, b, meant);
        if (p < 0)
            continue;
        sum += (double)b->searches * log((1 - s->rules.context) * alone + s->rules.context * p);
        weight += (double)b->searches;
    }
    return weight > 0 ? sum / weight : log(alone);
}

/* ---- scores ---- */

static uint64_t next_count(const struct spell_typed *t, struct str text)
{
    for (uint32_t i = 0; i < t->next_count; i++)
        if (str_eq(t->next[i].text, text))
            return t->next[i].count;
    return 0;
}

static double score(const struct speller *s, const struct asked *a, const struct letters *meant, double log_p,
                    struct spell_meant *m)
{
    const struct spell_rules *r = &s->rules;
    struct edits e;
    struct letters key;
    edits_find(meant, &a->letters, edit_costs, &e);
    sound_key(meant, &key);
    uint32_t apart = letters_distance(&key, &a->key, SOUND_APART_MAX);
    m->sounds_same = apart == 0;
    m->next = next_count(a->typed, m->text);
    m->edit_cost = e.cost + e.of[EDIT_FIRST] * edit_costs[EDIT_FIRST] + e.of[EDIT_LAST] * edit_costs[EDIT_LAST];
    return r->counts * WEIGHT_COUNTS * log_p - r->edits * (e.cost + e.of[EDIT_FIRST] * edit_costs[EDIT_FIRST]) -
           r->last * e.of[EDIT_LAST] * edit_costs[EDIT_LAST] +
           r->sound * ((apart == 0) * WEIGHT_SAME_SOUND - apart * WEIGHT_SOUND_APART) +
           r->sessions * log1p((double)m->next);
}

/* Of the two, the longer one is the other with a plural behind it. */
static bool is_plural(struct str a, struct str b)
{
    static const char *const ends[] = { "s", "es", "'s", "\xE2\x80\x99s", "s'" };
    struct str longer = a.n > b.n ? a : b, shorter = a.n > b.n ? b : a;
    if (!str_starts(longer, shorter))
        return false;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (str_eq_c((struct str){ longer.p + shorter.n, longer.n - shorter.n }, ends[i]))
            return true;
    return false;
}

/* Word for word the same but for plurals. */
static bool differ_by_plurals(struct str a, struct str b)
{
    struct str x, y;
    bool more_a = str_split(&a, ' ', &x), more_b = str_split(&b, ' ', &y);
    for (; more_a && more_b; more_a = str_split(&a, ' ', &x), more_b = str_split(&b, ' ', &y))
        if (!str_eq(x, y) && !is_plural(x, y))
            return false;
    return more_a == more_b;
}

static bool may_be(const struct speller *s, const struct asked *a, const struct letters *meant,
                   const struct spell_meant *m)
{
    const struct spell_rules *r = &s->rules;
    for (uint32_t i = 0; i < r->min_prefix; i++)
        if (i >= meant->n || i >= a->letters.n || meant->at[i] != a->letters.at[i])
            return false;
    uint64_t least = memchr(m->text.p, ' ', m->text.n) && !m->split ? r->least_phrase : r->least_word;
    bool enough = m->searches >= least && m->clicks >= r->least_clicks &&
                  (double)m->searches >= r->ratio * (double)a->typed->searches;
    bool plural = !m->listed && differ_by_plurals(m->text, a->typed->text); /* a dictionary would list both */
    return (enough || m->listed) && !plural && letters_same_digits(meant, &a->letters);
}

static double confidence(const struct speller *s, const struct spell_typed *t, const struct spell_meant *m)
{
    double odds = fmax((double)m->searches, m->expected) / (t->searches ? (double)t->searches : 1);
    double typed_clicks = ((double)t->clicks + 1) / ((double)t->searches + 2);
    double meant_clicks = ((double)m->clicks + 1) / ((double)m->searches + 2);
    double clicks = m->searches && t->searches ? meant_clicks / typed_clicks : 1;
    if (s->rules.has_dictionary && m->listed && odds < KNOWN_ODDS)
        odds = KNOWN_ODDS;
    if (t->searches)
        odds *= 1 + ZERO_FACTOR * (double)t->zero_results / (double)t->searches;
    odds *= (1 + (double)m->next) * fmin(CLICKS_FACTOR_MAX, fmax(1 / CLICKS_FACTOR_MAX, clicks));
    return m->probability * odds / (1 + odds);
}

/* ---- candidates ---- */

static void offer(struct speller *s, const struct spell_meant *m, struct spell_meant *best)
{
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 256;
        s->scores = mem_realloc(s->scores, s->room * sizeof *s->scores);
    }
    s->scores[s->count++] = m->score;
    if (s->count == 1 || m->score > best->score)
        *best = *m;
}

static void offer_near(struct speller *s, const struct asked *a, struct spell_meant *best)
{
    uint32_t most = most_of(s, a);
    if (most == 0)
        return;
    head_near(&s->search, &a->letters, most, most > 1 ? most + 1 : most);
    for (uint32_t i = 0; i < s->search.count; i++) {
        struct head_term t = head_term(s->head, s->search.found[i].term);
        struct spell_meant m = { .text = t.text,
                                 .distance = s->search.found[i].distance,
                                 .searches = t.searches,
                                 .clicks = t.clicks,
                                 .listed = t.listed };
        struct letters meant;
        if (!letters_of(t.text, &meant) || !may_be(s, a, &meant, &m))
            continue;
        m.score = score(s, a, &meant, log_share(s, a, t.text, share(s, t.searches, t.listed)), &m);
        offer(s, &m, best);
    }
}

/* "tablelamp": two words of the head that nobody typed with the space, as probable as both at once. */
static void offer_split(struct speller *s, const struct asked *a, size_t at, struct spell_meant *best)
{
    const struct head *h = s->head;
    struct str typed = a->typed->text, first = { typed.p, at }, second = { typed.p + at, typed.n - at };
    char pair[PAIR_MAX];
    uint32_t t[2], known;
    struct letters meant;
    if (typed.n + 1 > sizeof pair || !head_find(h, first, &t[0]) || !head_find(h, second, &t[1]))
        return;
    memcpy(pair, first.p, first.n);
    pair[first.n] = ' ';
    memcpy(pair + first.n + 1, second.p, second.n);
    struct spell_meant m = { .text = { pair, typed.n + 1 }, .distance = 1, .split = true };
    if (head_find(h, m.text, &known) || !letters_of(m.text, &meant)) /* then it was found as what is near */
        return;
    struct head_term one = head_term(h, t[0]), other = head_term(h, t[1]);
    m.searches = one.searches < other.searches ? one.searches : other.searches;
    m.clicks = one.clicks < other.clicks ? one.clicks : other.clicks;
    m.listed = one.listed < other.listed ? one.listed : other.listed;
    if (!may_be(s, a, &meant, &m))
        return;
    m.searches = m.clicks = 0; /* with both of them: none that is known of */
    m.expected = h->traffic ? (double)one.searches * (double)other.searches / (double)h->traffic : 0;
    m.score = score(s, a, &meant, log(share(s, one.searches, one.listed)) + log(share(s, other.searches, other.listed)),
                    &m);
    bool better = s->count == 0 || m.score > best->score;
    if (better) {
        memcpy(s->split, pair, m.text.n);
        m.text.p = s->split;
    }
    offer(s, &m, best);
}

static void offer_splits(struct speller *s, const struct asked *a, struct spell_meant *best)
{
    struct str text = a->typed->text;
    uint32_t letter = 0;
    for (size_t at = 0; a->word && at < text.n; at++) {
        bool begins = ((unsigned char)text.p[at] & 0xC0) != 0x80;
        if (begins && letter >= PART_MIN && letter + PART_MIN <= a->letters.n)
            offer_split(s, a, at, best);
        letter += begins;
    }
}

/* In the order in which they were found, which is that of the terms. */
static double probability(const struct speller *s, double best)
{
    double sum = 0;
    for (uint32_t i = 0; i < s->count; i++)
        sum += exp(s->scores[i] - best);
    return 1 / sum;
}

bool spell_correct(struct speller *s, const struct spell_typed *typed, struct spell_meant *out)
{
    struct asked a;
    s->count = 0;
    if (!ask(s, typed, &a))
        return false;
    offer_near(s, &a, out);
    offer_splits(s, &a, out);
    if (s->count == 0)
        return false;
    out->words_known = !a.word && words_known(s, typed->text);
    out->probability = probability(s, out->score);
    out->confidence = confidence(s, typed, out);
    return true;
}
