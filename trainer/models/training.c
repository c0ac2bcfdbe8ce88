#include "trainer/models/training.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "job/types.h"
#include "model/artifact_parts.h"
#include "trainer/engine/build.h"

enum { JSON_MAX = 256 << 10, NAME_MAX_BYTES = 64 };

enum stmt { KIND, FIND, PART, MODEL_MAKE, MODEL_LOCK, ALIAS, OPEN, VERSION, OFFER, MOVE, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [KIND] = { "training_kind", 1, "select kind from models where name = $1" },
    [FIND] = { "training_find", 2,
               "select v.version, v.artifact from model_versions v where v.model = $1 and v.artifact is not null and "
               "v.version::text = coalesce((select a.version::text from model_aliases a where a.model = $1 and a.alias "
               "= "
               "$2), $2)" },
    [PART] = { "training_part", 2, "select content from artifact_parts where digest = $1 and part = $2::int" },
    [MODEL_MAKE] = { "training_model_make", 2,
                     "insert into models (name, kind) values ($1, $2) on conflict (name) do nothing" },
    [MODEL_LOCK] = { "training_model_lock", 1, "select kind from models where name = $1 for update" },
    [ALIAS] = { "training_alias", 1, "select version from model_aliases where model = $1 and alias = 'champion'" },
    [OPEN] = { "training_open", 3, "select artifact_open($1, $2::bigint, $3)" },
    [VERSION] = { "training_version", 3, "select model_version_add($1, $2, $3::jsonb)->>'version'" },
    [OFFER] = { "training_offer", 6, "select model_loop_offer($1, $2::int, $3::bool, $4, $5, $6::jsonb)" },
    [MOVE] = { "training_move", 3, "select model_alias_set($1, 'champion', $2::int, 'publish', $3)->>'refused'" },
};

const char *training_model(const struct run_context *run)
{
    const char *given = run->param(run, "model");
    return given ? given : run->type->name;
}

static bool is_name(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
        if (!letter && (i == 0 || !strchr("._-", s[i])))
            return false;
    }
    return n > 0 && n <= NAME_MAX_BYTES;
}

static bool of_kind(const PGresult *r, const char *model, const char *kind, struct err *err)
{
    return PQntuples(r) == 0 || strcmp(PQgetvalue(r, 0, 0), kind) == 0 ||
           err_set(err, ERR_INVALID, "parameter \"model\": model \"%s\" is of kind %s, not %s", model,
                   PQgetvalue(r, 0, 0), kind);
}

bool training_begin(struct run_context *run, const char *kind, struct err *err)
{
    const char *params[] = { training_model(run) };
    if (!is_name(params[0]))
        return err_set(err, ERR_INVALID,
                       "parameter \"model\" is \"%s\": a name begins with a small letter or a digit, and has these, "
                       "\".\", \"_\" and \"-\", at most %d",
                       params[0], NAME_MAX_BYTES);
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[KIND], params, err);
    return r && of_kind(r, params[0], kind, err);
}

bool training_enough(const struct run_context *run, const char *what, uint64_t seen, const char *param, struct err *err)
{
    uint64_t needed = (uint64_t)run_whole(run, param);
    return seen >= needed ||
           run_too_little(run, err, "%" PRIu64 " %s, parameter \"%s\" asks for %" PRIu64, seen, what, param, needed);
}

/* ---- the card ---- */

static void put_param(struct jsonw *w, const struct job_param *p, const char *value)
{
    if (!value)
        jsonw_null(w, p->name);
    else if (p->type == JOB_TEXT || p->type == JOB_DAY || p->type == JOB_CHOICE)
        jsonw_text(w, p->name, value);
    else
        jsonw_raw(w, p->name, str_of(value));
}

static void put_days(struct jsonw *w, const char *key, int32_t from, int32_t until)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_open(w, key, '{');
    jsonw_text(w, "from", from == INT32_MIN ? NULL : clock_format_day(from, text));
    jsonw_text(w, "until", clock_format_day(until, text));
}

static void put_what(struct jsonw *w, const struct run_context *run, const struct training *t)
{
    jsonw_text(w, "job", run->type->name);
    jsonw_open(w, "params", '{');
    for (size_t i = 0; i < run->type->params_count; i++)
        put_param(w, &run->type->params[i], run->param(run, run->type->params[i].name));
    jsonw_close(w);
    put_days(w, "window", t->from, t->until);
    if (t->days)
        jsonw_i64(w, "days", (int64_t)t->days);
    jsonw_close(w);
    if (t->eval_from <= t->eval_until) {
        put_days(w, "evaluation", t->eval_from, t->eval_until);
        jsonw_close(w);
    }
    jsonw_i64(w, "seed", (int64_t)t->seed);
    jsonw_i64(w, "rows", (int64_t)t->rows);
    jsonw_i64(w, "units", (int64_t)t->units);
    jsonw_i64(w, "items", (int64_t)t->items);
}

void training_card(const struct run_context *run, const struct training *t, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    put_what(&w, run, t);
    jsonw_close(&w);
}

/* What the registry has beside it: where and by what it was made. */
static void put_card(struct jsonw *w, const struct run_context *run, const struct training *t)
{
    char build[BUILD_TEXT_MAX];
    jsonw_open(w, "card", '{');
    put_what(w, run, t);
    jsonw_text(w, "run", run->id);
    jsonw_text(w, "engine", run->engine_name);
    jsonw_text(w, "build", build_text(build));
    jsonw_close(w);
}

/* ---- the champion ---- */

static bool add_part(struct buf *file, const PGresult *r, struct err *err)
{
    size_t n;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)PQgetvalue(r, 0, 0), &n);
    if (!bytes)
        return err_set(err, ERR_DB, "a part of an artifact cannot be read");
    buf_add(file, bytes, n);
    PQfreemem(bytes);
    return buf_ok(file, "the artifact", err);
}

static bool fetch(struct pg *pg, const char *digest, struct buf *file, struct err *err)
{
    for (uint32_t part = 0;; part++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%u", part);
        const char *params[] = { digest, number };
        AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[PART], params, err);
        if (!r || PQntuples(r) == 0)
            return r != NULL;
        if (!add_part(file, r, err))
            return false;
    }
}

static bool is_digest(const struct artifact *a, const char *digest, struct err *err)
{
    return strcmp(a->digest, digest) == 0 ||
           err_set(err, ERR_INVALID, "artifact is damaged: it has checksum %.16s…, expected is %.16s…", a->digest,
                   digest);
}

bool training_version(struct run_context *run, const char *model, const char *which, struct buf *file,
                      struct artifact *out, int *out_version, struct err *err)
{
    const char *params[] = { model, which };
    struct artifact a = { .sections_count = 0 };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[FIND], params, err);
    if (!r)
        return false;
    bool there = PQntuples(r) == 1;
    const char *digest = there ? PQgetvalue(r, 0, 1) : "";
    if (there && !fetch(run->pg, digest, file, err))
        return false;
    if (there && !(artifact_read(buf_str(file), &a, err) && is_digest(&a, digest, err)))
        return strcmp(which, PQgetvalue(r, 0, 0)) == 0
                   ? err_prefix(err, "model \"%s\": version %s: ", model, which)
                   : err_prefix(err, "model \"%s\": version %s, which is %s: ", model, PQgetvalue(r, 0, 0), which);
    *out = a;
    *out_version = there ? (int)pg_get_i64(r, 0, 0) : 0;
    return true;
}

bool training_champion(struct run_context *run, const char *model, struct buf *file, struct artifact *out,
                       int *out_version, struct err *err)
{
    return training_version(run, model, "champion", file, out, out_version, err);
}

/* ---- publishing ---- */

static bool store_artifact(struct pg *pg, const struct training *t, struct err *err)
{
    char bytes[24];
    (void)snprintf(bytes, sizeof bytes, "%zu", t->file.n);
    const char *params[] = { t->digest, bytes, t->kind };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[OPEN], params, err);
    return r && artifact_parts_send(pg, t->digest, t->file, err);
}

/* The model's row is locked from here on: nobody moves its aliases. */
static bool lock_model(struct pg *pg, const struct training *t, int *out_champion, struct err *err)
{
    const char *params[] = { t->model, t->kind };
    AUTO(pg_result_free) PGresult *made = pg_run(pg, &statements[MODEL_MAKE], params, err);
    AUTO(pg_result_free) PGresult *model = made ? pg_run(pg, &statements[MODEL_LOCK], params, err) : NULL;
    AUTO(pg_result_free) PGresult *alias = model ? pg_run(pg, &statements[ALIAS], params, err) : NULL;
    if (!alias)
        return false;
    if (!of_kind(model, t->model, t->kind, err))
        return false;
    *out_champion = PQntuples(alias) == 1 ? (int)pg_get_i64(alias, 0, 0) : 0;
    return true;
}

/* What the gate said holds for the champion that it saw. */
static struct gate_outcome decision_now(const struct gate_outcome *gate, int champion)
{
    struct gate_outcome o = *gate;
    if (!o.passed || o.champion == champion || strcmp(o.rule, "none") == 0)
        return o;
    o.passed = false;
    (void)snprintf(o.rule, sizeof o.rule, "champion");
    (void)snprintf(o.reason, sizeof o.reason,
                   "version %d became champion meanwhile, this one was compared with %d; train it again", champion,
                   o.champion);
    return o;
}

static bool add_version(struct run_context *run, const struct training *t, const struct gate_outcome *o, int champion,
                        int *out_version, struct err *err)
{
    AUTO(buf_release) struct buf b, gate;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    buf_init(&gate, JSON_MAX);
    gate_outcome_json(o, &gate);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "status", o->passed ? "ready" : "refused");
    jsonw_text(&w, "run", run->id);
    jsonw_text(&w, "artifact", t->digest);
    jsonw_i64(&w, "bytes", (int64_t)t->file.n);
    jsonw_raw(&w, "metrics", t->metrics.n ? t->metrics : STR("{}"));
    jsonw_raw(&w, "gate", buf_str(&gate));
    if (champion)
        jsonw_i64(&w, "parent_version", champion);
    put_card(&w, run, t);
    jsonw_close(&w);
    if (!buf_ok(&b, "what is said of the version", err))
        return false;
    const char *params[] = { t->model, t->kind, b.p };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[VERSION], params, err);
    if (!r)
        return false;
    *out_version = (int)pg_get_i64(r, 0, 0);
    return true;
}

enum { WHO_MAX = 80, PLACE_MAX = 16 };

/* What became of the version: "champion", "challenger", "next" or "refused". */
struct place {
    char name[PLACE_MAX];
    int version, champion; /* the latter as it was; 0: none */
};

/* With the model's loop on, what passed has to prove itself on users first: it becomes an alias of the loop, and the champion stays. */
static bool offer(struct run_context *run, const struct training *t, const struct gate_outcome *o, const char *who,
                  struct place *at, struct err *err)
{
    char number[16];
    AUTO(buf_release) struct buf proof;
    struct jsonw w;
    buf_init(&proof, JSON_MAX);
    jsonw_init(&w, &proof);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "rule", o->rule);
    jsonw_raw(&w, "metrics", t->metrics.n ? t->metrics : STR("{}"));
    jsonw_close(&w);
    (void)snprintf(number, sizeof number, "%d", at->version);
    const char *params[] = { t->model, number, o->passed ? "true" : "false", who, o->reason, buf_str(&proof).p };
    AUTO(pg_result_free)
    PGresult *r = buf_ok(&proof, "what the gate said", err) ? pg_run(run->pg, &statements[OFFER], params, err) : NULL;
    if (r && !PQgetisnull(r, 0, 0))
        (void)snprintf(at->name, sizeof at->name, "%s", PQgetvalue(r, 0, 0));
    return r != NULL;
}

static bool move_champion(struct run_context *run, const char *model, int version, const char *who, struct err *err)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", version);
    const char *params[] = { model, number, who };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[MOVE], params, err);
    if (r && !PQgetisnull(r, 0, 0))
        return err_set(err, ERR_CONFLICT, "model \"%s\": alias champion cannot point to version %d (%s)", model,
                       version, PQgetvalue(r, 0, 0));
    return r != NULL;
}

/* The way from the gate: refused, champion at once, or to the model's loop. */
static bool settle(struct run_context *run, const struct training *t, const struct gate_outcome *o, struct place *at,
                   struct err *err)
{
    char who[WHO_MAX];
    (void)snprintf(who, sizeof who, "job %s", run->type->name);
    (void)snprintf(at->name, sizeof at->name, "%s", o->passed ? "champion" : "refused");
    return offer(run, t, o, who, at, err) &&
           (strcmp(at->name, "champion") != 0 || move_champion(run, t->model, at->version, who, err));
}

/* What a run says of each place. */
static const struct {
    const char *name, *words;
} places[] = {
    { "champion", "champion" },
    { "refused", "refused, the champion stays" },
    { "challenger", "challenger, users will decide" },
    { "next", "next, behind the version that is being tried" },
};

static const char *place_words(const struct place *at)
{
    size_t i = 0;
    while (i + 1 < sizeof places / sizeof *places && strcmp(places[i].name, at->name) != 0)
        i++;
    return places[i].words;
}

static bool tell(struct run_context *run, const struct training *t, const struct gate_outcome *o,
                 const struct place *at, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "model", t->model);
    jsonw_i64(&w, "version", at->version);
    jsonw_text(&w, "artifact", t->digest);
    jsonw_i64(&w, "bytes", (int64_t)t->file.n);
    jsonw_i64(&w, "rows", (int64_t)t->rows);
    jsonw_i64(&w, "units", (int64_t)t->units);
    jsonw_i64(&w, "items", (int64_t)t->items);
    jsonw_bool(&w, "champion", strcmp(at->name, "champion") == 0);
    jsonw_text(&w, "became", at->name);
    jsonw_text(&w, "rule", o->rule);
    jsonw_text(&w, "reason", o->reason);
    if (t->metrics.n)
        jsonw_raw(&w, "metrics", t->metrics);
    jsonw_close(&w);
    run_result(run, "%s", buf_str(&b).p);
    run_say(run, "model %s version %d: %s (%s: %s)", t->model, at->version, place_words(at), o->rule, o->reason);
    return buf_ok(&b, "the run's result", err);
}

bool training_store(struct run_context *run, const struct training *t, const struct gate_outcome *gate, struct err *err)
{
    struct place at;
    if (!lock_model(run->pg, t, &at.champion, err))
        return false;
    struct gate_outcome now = decision_now(gate, at.champion);
    return store_artifact(run->pg, t, err) && add_version(run, t, &now, at.champion, &at.version, err) &&
           settle(run, t, &now, &at, err) && tell(run, t, &now, &at, err);
}

bool training_publish(struct run_context *run, const struct training *t, const struct gate_outcome *gate,
                      struct err *err)
{
    return run_publish_begin(run, err) && training_store(run, t, gate, err) && run_publish_end(run, err);
}
