#include "trainer/kernels/spelling/edits.h"

enum way { WAY_BEGIN, WAY_SAME, WAY_OTHER, WAY_OMITTED, WAY_ADDED, WAY_SWAPPED };

struct cell {
    double cost;
    uint8_t way, kind;
};

struct table {
    const struct letters *meant, *typed;
    const double *costs;
    struct cell cells[(LETTERS_MAX + 1) * (LETTERS_MAX + 1)];
};

static struct cell *cell(struct table *t, uint32_t i, uint32_t j)
{
    return &t->cells[i * (t->typed->n + 1) + j];
}

/* 0 outside of the word. */
static uint32_t letter(const struct letters *w, uint32_t i)
{
    return i < w->n ? w->at[i] : 0;
}

static bool is_mark(uint32_t c)
{
    return c == '\'' || c == '-' || c == '.' || c == '/' || c == '&' || c == 0x2019 || c == '_';
}

/* ---- kinds of edits ---- */

/* Not heard, most of the time: h that begins no syllable, the last e, k g p w before n r s, b behind m, c before k, d before g j, t before ch, u behind
 * g q. */
static bool is_silent(const struct letters *w, uint32_t i)
{
    char c = letter_base(letter(w, i)), before = i ? letter_base(w->at[i - 1]) : 0;
    char behind = letter_base(letter(w, i + 1));
    switch (c) {
    case 'h':
        return i == 0 || (before && !strchr("aeiou", before));
    case 'e':
        return i + 1 == w->n || letter(w, i + 1) == ' ';
    case 'k':
        return (i == 0 && behind == 'n') || before == 'c';
    case 'g':
        return behind == 'n' || behind == 'h';
    case 'p':
        return i == 0 && (behind == 'n' || behind == 's');
    case 'w':
        return behind == 'r' || before == 's';
    case 'b':
        return before == 'm' || behind == 't';
    case 'c':
        return behind == 'k' || before == 's' || behind == 'q';
    case 'd':
        return behind == 'g' || behind == 'j';
    case 't':
        return behind == 'c' || before == 's';
    case 'u':
        return before == 'g' || before == 'q';
    default:
        return false;
    }
}

static bool is_double(const struct letters *w, uint32_t i)
{
    return (i > 0 && w->at[i] == w->at[i - 1]) || w->at[i] == letter(w, i + 1);
}

static enum edit_kind omitted(const struct letters *meant, uint32_t i)
{
    uint32_t c = meant->at[i];
    if (c == ' ')
        return EDIT_JOINED;
    if (is_double(meant, i))
        return EDIT_UNDOUBLED;
    if (is_silent(meant, i))
        return EDIT_NO_SILENT;
    return letter_is_vowel(c) ? EDIT_NO_VOWEL : is_mark(c) ? EDIT_MARK : EDIT_NO_LETTER;
}

static enum edit_kind added(const struct letters *typed, uint32_t j)
{
    uint32_t c = typed->at[j];
    if (c == ' ')
        return EDIT_SPLIT;
    if (is_double(typed, j))
        return EDIT_DOUBLED;
    if (is_silent(typed, j))
        return EDIT_MORE_SILENT;
    if (letter_is_vowel(c))
        return EDIT_MORE_VOWEL;
    if (is_mark(c))
        return EDIT_MARK;
    return (j > 0 && letters_near(c, typed->at[j - 1])) || letters_near(c, letter(typed, j + 1)) ? EDIT_MORE_NEAR
                                                                                                 : EDIT_MORE_LETTER;
}

static enum edit_kind other(const struct table *t, uint32_t meant, uint32_t typed)
{
    char base = letter_base(meant);
    if (base && base == letter_base(typed))
        return EDIT_ACCENT;
    if (is_mark(meant) && is_mark(typed))
        return EDIT_MARK;
    if (letter_is_vowel(meant) && letter_is_vowel(typed))
        return EDIT_OTHER_VOWEL;
    bool near = letters_near(meant, typed);
    if (letters_alike(meant, typed))
        return near && t->costs[EDIT_OTHER_NEAR] < t->costs[EDIT_OTHER_ALIKE] ? EDIT_OTHER_NEAR : EDIT_OTHER_ALIKE;
    return near ? EDIT_OTHER_NEAR : EDIT_OTHER_LETTER;
}

/* ---- the table ---- */

static void offer(struct cell *c, double cost, enum way way, enum edit_kind kind)
{
    if (c->way == WAY_BEGIN || cost < c->cost)
        *c = (struct cell){ cost, (uint8_t)way, (uint8_t)kind };
}

static bool swapped(const struct table *t, uint32_t i, uint32_t j)
{
    return i > 1 && j > 1 && t->meant->at[i - 1] == t->typed->at[j - 2] && t->meant->at[i - 2] == t->typed->at[j - 1];
}

static void fill(struct table *t, uint32_t i, uint32_t j)
{
    struct cell *c = cell(t, i, j);
    enum edit_kind kind;
    *c = (struct cell){ .way = WAY_BEGIN };
    if (i && j && t->meant->at[i - 1] == t->typed->at[j - 1])
        offer(c, cell(t, i - 1, j - 1)->cost, WAY_SAME, 0);
    else if (i && j) {
        kind = other(t, t->meant->at[i - 1], t->typed->at[j - 1]);
        offer(c, cell(t, i - 1, j - 1)->cost + t->costs[kind], WAY_OTHER, kind);
    }
    if (i) {
        kind = omitted(t->meant, i - 1);
        offer(c, cell(t, i - 1, j)->cost + t->costs[kind], WAY_OMITTED, kind);
    }
    if (j) {
        kind = added(t->typed, j - 1);
        offer(c, cell(t, i, j - 1)->cost + t->costs[kind], WAY_ADDED, kind);
    }
    if (swapped(t, i, j))
        offer(c, cell(t, i - 2, j - 2)->cost + t->costs[EDIT_SWAP], WAY_SWAPPED, EDIT_SWAP);
}

static void count(struct table *t, struct edits *out)
{
    static const uint8_t step[][2] = { [WAY_SAME] = { 1, 1 },  [WAY_OTHER] = { 1, 1 },   [WAY_OMITTED] = { 1, 0 },
                                       [WAY_ADDED] = { 0, 1 }, [WAY_SWAPPED] = { 2, 2 }, [WAY_BEGIN] = { 0, 0 } };
    for (uint32_t i = t->meant->n, j = t->typed->n; i || j;) {
        const struct cell *c = cell(t, i, j);
        if (c->way != WAY_SAME)
            out->of[c->kind]++;
        i -= step[c->way][0];
        j -= step[c->way][1];
    }
}

void edits_find(const struct letters *meant, const struct letters *typed, const double *costs, struct edits *out)
{
    struct table t;
    t.meant = meant;
    t.typed = typed;
    t.costs = costs;
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i <= meant->n; i++)
        for (uint32_t j = 0; j <= typed->n; j++)
            if (i || j)
                fill(&t, i, j);
            else
                *cell(&t, 0, 0) = (struct cell){ .way = WAY_BEGIN };
    out->cost = cell(&t, meant->n, typed->n)->cost;
    count(&t, out);
    out->of[EDIT_FIRST] = meant->at[0] != typed->at[0];
    out->of[EDIT_LAST] = meant->at[meant->n - 1] != typed->at[typed->n - 1];
}

/* Of spelling_fit.py; accents, spaces and marks hardly come in its misspellings of single words and are set by hand. */
const double edit_costs[EDIT_KIND_COUNT] = {
    [EDIT_SWAP] = 1.326,       [EDIT_DOUBLED] = 1.719,      [EDIT_UNDOUBLED] = 0.500,   [EDIT_NO_VOWEL] = 0.724,
    [EDIT_NO_SILENT] = 0.050,  [EDIT_NO_LETTER] = 1.190,    [EDIT_MORE_VOWEL] = 3.177,  [EDIT_MORE_SILENT] = 1.572,
    [EDIT_MORE_NEAR] = 2.552,  [EDIT_MORE_LETTER] = 3.013,  [EDIT_OTHER_VOWEL] = 1.834, [EDIT_OTHER_ALIKE] = 1.546,
    [EDIT_OTHER_NEAR] = 3.630, [EDIT_OTHER_LETTER] = 3.128, [EDIT_ACCENT] = 0.1,        [EDIT_SPLIT] = 2,
    [EDIT_JOINED] = 2,         [EDIT_MARK] = 0.3,           [EDIT_FIRST] = 1.284,       [EDIT_LAST] = 0.379,
};
