/* "v1.2.3-rc.1+build" → "    1-    2-    3-rc-    1": a leading "v" and what follows "+" are dropped, parts of digits are padded to five, and
 * three parts alone get a "~" behind them, so that a release comes after its release candidates. */
#include "assign/version.h"

#include "assign/arena.h"
#include "assign/text.h"

enum { PAD = 5 };

static bool all_digits(struct assign_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] < '0' || t.p[i] > '9')
            return false;
    return t.n > 0;
}

static size_t add_part(char *out, struct assign_text part)
{
    size_t n = 0;
    if (all_digits(part))
        while (n + part.n < PAD)
            out[n++] = ' ';
    memcpy(out + n, part.p, part.n);
    return n + part.n;
}

/* ".*" stops at a line end, as in the SDK: what follows one stays. */
static size_t without_build(const char *p, size_t n, char *out)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '+')
            while (i < n && p[i] != '\n' && p[i] != '\r')
                i++;
        if (i < n)
            out[k++] = p[i];
    }
    return k;
}

static bool pad(struct assign_text t, struct assign_arena *a, struct assign_text *out)
{
    char *plain = assign_alloc(a, t.n + 1), *p = assign_alloc(a, (t.n + 1) * (PAD + 1) + 4);
    if (!plain || !p)
        return false;
    size_t skip = t.p[0] == 'v', n = without_build(t.p + skip, t.n - skip, plain), k = 0, parts = 0;
    for (size_t from = 0, to; from <= n; from = to + 1) {
        for (to = from; to < n && plain[to] != '-' && plain[to] != '.';)
            to++;
        if (parts++)
            p[k++] = '-';
        k += add_part(p + k, (struct assign_text){ plain + from, to - from });
    }
    if (parts == 3) {
        p[k++] = '-';
        p[k++] = '~';
    }
    *out = (struct assign_text){ p, k };
    return true;
}

bool assign_version_padded(const struct assign_value *v, struct assign_arena *a, struct assign_text *out)
{
    char number[ASSIGN_NUMBER_TEXT_MAX];
    struct assign_text t = ASSIGN_TEXT("0");
    if (v && v->type == ASSIGN_NUMBER)
        t = (struct assign_text){ number, assign_number_text(v->number, number) };
    else if (v && v->type == ASSIGN_STRING && v->text.n)
        t = v->text;
    return pad(t, a, out);
}
