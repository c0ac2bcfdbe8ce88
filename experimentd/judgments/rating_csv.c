/* CSV: Quepid's, and ours. */
#include <math.h>

#include "experimentd/judgments/rating_parts.h"

/* ---- Quepid ---- */

static struct str without_guard(struct str s)
{
    bool guarded = s.n >= 2 && s.p[0] == ' ' && memchr("-=+@", s.p[1], 4);
    return guarded ? (struct str){ s.p + 1, s.n - 1 } : s;
}

static bool add_quepid(void *arg, const struct str *f, struct err *err)
{
    struct rating g = { .query = without_guard(f[0]), .doc = without_guard(f[1]), .confidence = NAN, .evidence = NAN };
    return rating_number(f[2], "rating", &g.grade, err) && rating_add(arg, g, err);
}

bool ratings_read_quepid(struct str text, struct ratings *out, struct err *err)
{
    static const char *const names[] = { "query", "docid", "rating" };
    static const struct csv_columns columns = { names, COUNT_OF(names), COUNT_OF(names) };
    return csv_read(text, &columns, out->arena, add_quepid, out, &out->bad, err);
}

/* ---- ours ---- */

enum column { QUERY, DOC, GRADE, CONFIDENCE, EVIDENCE, SOURCE, JUDGE };

static bool add_csv(void *arg, const struct str *f, struct err *err)
{
    struct rating g = { .query = f[QUERY], .doc = f[DOC], .judge = f[JUDGE].n ? f[JUDGE] : (struct str){ NULL, 0 } };
    return rating_number(f[GRADE], "grade", &g.grade, err) &&
           rating_number(f[CONFIDENCE], "confidence", &g.confidence, err) &&
           rating_number(f[EVIDENCE], "evidence", &g.evidence, err) &&
           rating_source(str_trim(f[SOURCE]), &g.clicks, err) && rating_add(arg, g, err);
}

bool ratings_read_csv(struct str text, struct ratings *out, struct err *err)
{
    static const char *const names[] = {
        [QUERY] = "query|query_text",
        [DOC] = "doc|docid|doc_id|document",
        [GRADE] = "grade|rating|relevance",
        [CONFIDENCE] = "confidence",
        [EVIDENCE] = "evidence",
        [SOURCE] = "source",
        [JUDGE] = "judge",
    };
    static const struct csv_columns columns = { names, COUNT_OF(names), 3 };
    return csv_read(text, &columns, out->arena, add_csv, out, &out->bad, err);
}
