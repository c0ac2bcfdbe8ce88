#include "base/nearest.h"

enum { NAME_MAX_BYTES = 63, WRONG_MAX = 3 };

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein's distance with swapped neighbours as one error. Both at most NAME_MAX_BYTES.
 */
static unsigned distance(struct str a, struct str b)
{
    unsigned rows[3][NAME_MAX_BYTES + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (unsigned j = 0; j <= b.n; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned wrong = a.p[i - 1] != b.p[j - 1];
            now[j] = min(min(last[j] + 1, now[j - 1] + 1), last[j - 1] + wrong);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = min(now[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b.n];
}

const char *nearest_name(struct str given, const char *const *names, size_t count)
{
    const char *best = NULL;
    if (given.n > NAME_MAX_BYTES)
        return NULL;
    unsigned limit = min((unsigned)(given.n + 2) / 3, WRONG_MAX) + 1;
    for (size_t i = 0; i < count; i++) {
        struct str name = str_of(names[i]);
        if (!name.p || name.n > NAME_MAX_BYTES)
            continue;
        unsigned d = distance(given, name);
        if (d < limit) {
            limit = d;
            best = names[i];
        }
    }
    return best;
}
