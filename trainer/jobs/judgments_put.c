#include "trainer/jobs/judgments_put.h"

#include "base/json.h"
#include "job/types.h"

enum { NAME_MAX_BYTES = 64 };

struct set_kind {
    const char *what;
    struct pg_stmt of_people, put;
};
static const struct set_kind judgment_sets = {
    "judgment set",
    { "judgments_of_people", 1, "select source from judgment_sets where name = $1 and source in ('human', 'import')" },
    { "judgments_put", 5, "select judgment_set_put($1, $2::jsonb, $3::jsonb, 'replace', null, $4::uuid, $5)" },
};
static const struct set_kind query_sets = {
    "query set",
    { "query_set_of_people", 1, "select sampling from query_sets where name = $1 and sampling = 'manual'" },
    { "query_set_put", 5, "select query_set_put($1, $2::jsonb, $3::jsonb, 'replace', null, $4::uuid, $5)" },
};

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              (i > 0 && memchr("_.-", s.p[i], 3))))
            return false;
    return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

static bool begin(struct run_context *run, const struct set_kind *kind, const char *name, struct err *err)
{
    const char *params[] = { name };
    if (!is_name(str_of(name)))
        return err_set(err, ERR_INVALID,
                       "--param set=%s: a name has small letters, digits and _ . - behind the first, at most %d", name,
                       NAME_MAX_BYTES);
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &kind->of_people, params, err);
    if (!r)
        return false;
    return PQntuples(r) == 0 ||
           err_set(err, ERR_INVALID, "--param set=%s: people brought this %s (%s): a job does not make it anew", name,
                   kind->what, PQgetvalue(r, 0, 0));
}

bool judgments_put_begin(struct run_context *run, const char *name, struct err *err)
{
    return begin(run, &judgment_sets, name, err);
}

bool query_set_put_begin(struct run_context *run, const char *name, struct err *err)
{
    return begin(run, &query_sets, name, err);
}

static bool refused(const struct set_kind *kind, const char *name, const json_t *answer, struct err *err)
{
    const char *why = json_string_value(json_object_get(answer, "refused"));
    if (strcmp(why, "grade") == 0)
        return err_set(err, ERR_CONFLICT,
                       "%s \"%s\": what a person put in has a grade above %g: parameter \"max_grade\" must be at least "
                       "that",
                       kind->what, name, json_number_value(json_object_get(answer, "max_grade")));
    return err_set(err, ERR_CONFLICT, "%s \"%s\" was refused: %s", kind->what, name, why);
}

static bool put(struct run_context *run, const struct set_kind *kind, struct set_put *s, struct err *err)
{
    char actor[128];
    (void)snprintf(actor, sizeof actor, "job %s", run->type->name);
    const char *params[] = { s->name, s->props.p, s->rows.p, run->id, actor };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &kind->put, params, err);
    if (!r)
        return false;
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), err);
    if (!answer)
        return false;
    if (json_object_get(answer, "refused"))
        return refused(kind, s->name, answer, err);
    s->version = (int64_t)json_integer_value(json_object_get(answer, "version"));
    return true;
}

bool judgments_put(struct run_context *run, struct set_put *s, struct err *err)
{
    return put(run, &judgment_sets, s, err);
}

bool query_set_put(struct run_context *run, struct set_put *s, struct err *err)
{
    return put(run, &query_sets, s, err);
}
