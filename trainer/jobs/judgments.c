/* The job "judgments": what documents are worth for a query, from clicks, beside what people say → a judgment set.
 *
 * Values come from the champion of a job that fits click models, or from what searches were shown (clicked.h). They become grades, people's judgments take
 * the place of those of clicks, and how far both agree is told (judge.h). The set is published with the end of the run (judgments_put.h). */
#include <inttypes.h>
#include <math.h>

#include "base/jsonw.h"
#include "model/lists.h"
#include "trainer/jobs/judge.h"
#include "trainer/jobs/judgments_put.h"
#include "trainer/models/training.h"

enum { ARENA_FIRST = 1 << 20, ROWS_MAX = 240 << 20, PROPS_MAX = 1 << 20, CONFLICTS_TOLD = 100, NAME_LENGTH = 64 };

struct judging {
    struct run_context *run;
    struct arena arena;
    const char *name, *method;
    struct buf file; /* the model's artifact, borrowed by values */
    struct serp_set searches;
    struct click_judgeds clicks;
    struct judgment_set human, own;
    bool has_human, has_own;
    struct judge_rules rules;
    double top;
    struct judged_set set;
    int model_version; /* 0: not from a model */
    uint64_t queries, sessions;
};

/* ---- from a click model ---- */

struct columns {
    int relevance, low, high, sessions;
};

static bool find_columns(const struct lists *l, const char *model, struct columns *out, struct err *err)
{
    *out = (struct columns){ lists_column_named(l, "relevance"), lists_column_named(l, "low"),
                             lists_column_named(l, "high"), lists_column_named(l, "sessions") };
    return (out->relevance >= 0 && out->low >= 0 && out->high >= 0 && out->sessions >= 0) ||
           err_set(err, ERR_INVALID, "--param model=%s: its lists have no relevance, low, high, sessions", model);
}

static float value_of(const struct lists *l, uint32_t entry, int column)
{
    return lists_value(l, entry, (uint32_t)column);
}

static void take_documents(struct judging *j, const struct lists *l, const struct columns *c)
{
    struct str query;
    struct lists_row row;
    double enough = run_real(j->run, "min_sessions");
    for (uint32_t k = 0; lists_key_at(l, k, &query, &row); k++)
        for (uint32_t i = row.first; i < row.first + row.count; i++) {
            struct click_judged one = { .query = query,
                                        .doc = lists_entry(l, i),
                                        .value = (double)value_of(l, i, c->relevance),
                                        .evidence = (double)value_of(l, i, c->sessions) };
            double width = (double)value_of(l, i, c->high) - (double)value_of(l, i, c->low);
            one.confidence = fmin(1, fmax(0, 1 - width));
            if (one.evidence >= enough)
                click_judgeds_add(&j->clicks, &one);
            else
                j->clicks.too_little++;
        }
    j->queries = l->keys;
}

static bool from_model(struct judging *j, struct err *err)
{
    const char *model = j->run->param(j->run, "model");
    struct artifact a;
    struct lists l;
    struct columns c;
    if (!training_champion(j->run, model, &j->file, &a, &j->model_version, err))
        return false;
    if (!j->model_version)
        return run_too_little(j->run, err, "there is no champion of model \"%s\" yet", model);
    struct str section = artifact_section(&a, "documents");
    if (strcmp(a.kind, "clicks") != 0 || !section.p)
        return err_set(err, ERR_INVALID, "--param model=%s: is of kind %s, not of kind clicks", model, a.kind);
    if (!lists_read(section, &l, err) || !find_columns(&l, model, &c, err))
        return false;
    take_documents(j, &l, &c);
    return true;
}

/* ---- from searches ---- */

static struct click_rules formula(const struct judging *j)
{
    bool coec = strcmp(j->method, "coec") == 0, srw = coec && run_flag(j->run, "srw");
    return (struct click_rules){ .formula = !coec ? CLICKED_SKIP
                                            : srw ? CLICKED_COEC_SRW
                                                  : CLICKED_COEC,
                                 .prior = run_real(j->run, "prior"),
                                 .min_evidence = run_real(j->run, "min_sessions"),
                                 .positions = (uint32_t)run_whole(j->run, "positions") };
}

static bool judge_searches(struct judging *j, struct serp_log *log, struct err *err)
{
    const struct click_rules rules = formula(j);
    struct click_totals totals;
    if (!serp_log_collect(log, 1, &j->searches, err))
        return false;
    j->queries = log->queries;
    j->sessions = log->sessions;
    clicked_totals(j->searches.queries, j->searches.count, &totals);
    for (size_t i = 0; i < j->searches.count; i++)
        clicked_judge(&j->searches.queries[i], &totals, &rules, &j->clicks);
    return true;
}

static bool from_searches(struct judging *j, struct err *err)
{
    struct query_window window, none;
    struct serp_log log = { .pass = -1 };
    query_log_window(j->run, &window, &none);
    bool ok = serp_log_open(&log, j->run, &j->arena, "searches", window, err) && judge_searches(j, &log, err);
    serp_log_close(&log);
    return ok;
}

/* ---- from values to a set ---- */

static void drop_unsure(struct judging *j)
{
    double least = run_real(j->run, "min_confidence");
    size_t kept = 0;
    for (size_t i = 0; i < j->clicks.count; i++)
        if (j->clicks.items[i].confidence >= least)
            j->clicks.items[kept++] = j->clicks.items[i];
    j->clicks.too_little += j->clicks.count - kept;
    j->clicks.count = kept;
}

static double max_grade(const struct judging *j, enum judge_scale scale)
{
    double highest = 1;
    if (j->run->param(j->run, "max_grade"))
        return run_real(j->run, "max_grade");
    if (j->has_human)
        return (double)j->human.max_grade;
    if (scale != JUDGE_RAW)
        return 3;
    for (size_t i = 0; i < j->clicks.count; i++)
        highest = fmax(highest, j->clicks.items[i].value);
    return highest;
}

static void read_rules(struct judging *j)
{
    const char *scale = j->run->param(j->run, "scale");
    struct judge_rules *r = &j->rules;
    r->scale = strcmp(scale, "linear") == 0 ? JUDGE_LINEAR : strcmp(scale, "raw") == 0 ? JUDGE_RAW : JUDGE_QUANTILE;
    r->relative = strcmp(j->method, "coec") == 0;
    r->top = run_real(j->run, "top");
    r->whole = r->scale != JUDGE_RAW && run_flag(j->run, "whole");
    r->conflict = run_real(j->run, "conflict");
    r->conflicts_told = CONFLICTS_TOLD;
    r->max_grade = max_grade(j, r->scale);
}

static bool set_is_there(struct run_context *run, const char *name, bool *out, struct err *err)
{
    static const struct pg_stmt there = { "judgments_there", 1, "select 1 from judgment_sets where name = $1" };
    const char *params[] = { name };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &there, params, err);
    if (r)
        *out = PQntuples(r) > 0;
    return r != NULL;
}

static bool read_people(struct judging *j, struct err *err)
{
    const char *human = j->run->param(j->run, "human");
    j->has_human = human != NULL;
    if (human && strcmp(human, j->name) == 0)
        return err_set(err, ERR_INVALID, "--param human=%s: is the set that is made", human);
    if (!set_is_there(j->run, j->name, &j->has_own, err))
        return false;
    return (!human || judgments_read(j->run, "human", human, &j->arena, &j->human, err)) &&
           (!j->has_own || judgments_read(j->run, "set", j->name, &j->arena, &j->own, err));
}

/* ---- what is published ---- */

static void write_rows(const struct judged_set *s, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < s->count; i++) {
        const struct judge_row *r = &s->rows[i];
        const double numbers[] = { r->grade, r->confidence, r->evidence };
        buf_add_c(out, i ? ",[" : "[");
        buf_add_json_str(out, r->query);
        buf_add_byte(out, ',');
        buf_add_json_str(out, r->doc);
        for (size_t k = 0; k < COUNT_OF(numbers); k++) {
            buf_add_byte(out, ',');
            buf_add_json_double(out, numbers[k]);
        }
        buf_add_c(out, r->human ? ",\"human\"," : ",\"clicks\",");
        if (r->judge.n)
            buf_add_json_str(out, r->judge);
        else
            buf_add_c(out, "null");
        buf_add_byte(out, ']');
    }
    buf_add_byte(out, ']');
}

static void write_agreement(struct jsonw *w, const struct judged_set *s)
{
    jsonw_open(w, "agreement", '{');
    jsonw_i64(w, "pairs", (int64_t)s->both);
    jsonw_double(w, "kappa", s->has_kappa ? s->kappa : NAN);
    jsonw_double(w, "tau", s->has_tau ? s->tau : NAN);
    jsonw_i64(w, "conflicts", (int64_t)s->conflicts);
    jsonw_open(w, "table", '[');
    for (size_t i = 0; i < s->grades; i++) {
        jsonw_open(w, NULL, '[');
        for (size_t k = 0; k < s->grades; k++)
            jsonw_i64(w, NULL, (int64_t)s->table[i * s->grades + k]);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}

static void write_conflicts(struct jsonw *w, const struct judged_set *s)
{
    jsonw_open(w, "conflicts", '[');
    for (size_t i = 0; i < s->told_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "query", s->told[i].query);
        jsonw_str(w, "doc", s->told[i].doc);
        jsonw_double(w, "human", s->told[i].human);
        jsonw_double(w, "clicks", s->told[i].clicks);
        jsonw_double(w, "confidence", s->told[i].confidence);
        jsonw_close(w);
    }
    jsonw_close(w);
}

/* Of params only those that this method reads. */
static void write_spec(struct jsonw *w, const struct judging *j)
{
    const struct run_context *run = j->run;
    jsonw_open(w, "spec", '{');
    jsonw_text(w, "job", "judgments");
    jsonw_text(w, "method", j->method);
    if (j->model_version) {
        jsonw_text(w, "model", run->param(run, "model"));
        jsonw_i64(w, "model_version", j->model_version);
    } else {
        jsonw_i64(w, "positions", run_whole(run, "positions"));
        jsonw_i64(w, "searches", (int64_t)j->sessions);
    }
    jsonw_double(w, "min_sessions", run_real(run, "min_sessions"));
    jsonw_text(w, "scale", run->param(run, "scale"));
    if (j->rules.scale == JUDGE_LINEAR)
        jsonw_double(w, "top", j->top);
    jsonw_text(w, "human", run->param(run, "human"));
    jsonw_i64(w, "too_little", (int64_t)j->clicks.too_little);
    write_agreement(w, &j->set);
    write_conflicts(w, &j->set);
    jsonw_close(w);
}

static void write_props(const struct judging *j, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "source", j->set.human || j->set.kept ? "merged" : "clicks");
    jsonw_double(&w, "max_grade", j->rules.max_grade);
    write_spec(&w, j);
    jsonw_close(&w);
}

static void tell(const struct judging *j, int64_t version)
{
    const struct judged_set *s = &j->set;
    struct buf b;
    struct jsonw w;
    run_say(j->run,
            "judgment set %s version %" PRId64 ": %" PRIu64 " judgments of clicks, %" PRIu64 " of people; %" PRIu64
            " documents have too little evidence",
            j->name, version, s->clicks, s->human, j->clicks.too_little);
    if (s->both)
        run_say(j->run, "both judged %" PRIu64 " documents: kappa %.3f, tau %.3f, %" PRIu64 " conflicts", s->both,
                s->has_kappa ? s->kappa : NAN, s->has_tau ? s->tau : NAN, s->conflicts);
    buf_init(&b, PROPS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "set", j->name);
    jsonw_i64(&w, "version", version);
    jsonw_i64(&w, "rows", (int64_t)s->count);
    jsonw_i64(&w, "clicks", (int64_t)s->clicks);
    jsonw_i64(&w, "human", (int64_t)s->human);
    jsonw_i64(&w, "too_little", (int64_t)j->clicks.too_little);
    write_agreement(&w, s);
    write_conflicts(&w, s);
    jsonw_close(&w);
    run_result(j->run, "%s", b.failed ? "{}" : b.p);
    buf_release(&b);
}

static bool publish(struct judging *j, struct err *err)
{
    AUTO(buf_release) struct buf rows;
    AUTO(buf_release) struct buf props;
    buf_init(&rows, ROWS_MAX);
    buf_init(&props, PROPS_MAX);
    write_rows(&j->set, &rows);
    write_props(j, &props);
    if (!buf_ok(&rows, "the judgment set", err) || !buf_ok(&props, "what is known of the judgment set", err))
        return false;
    struct set_put put = { .name = j->name, .rows = buf_str(&rows), .props = buf_str(&props) };
    if (!run_publish_begin(j->run, err) || !judgments_put(j->run, &put, err))
        return false;
    tell(j, put.version);
    return run_publish_end(j->run, err);
}

/* ---- the job ---- */

static bool judge_all(struct judging *j, struct err *err)
{
    bool model = strcmp(j->method, "model") == 0;
    if (!judgments_put_begin(j->run, j->name, err) || !read_people(j, err) ||
        !(model ? from_model(j, err) : from_searches(j, err)))
        return false;
    drop_unsure(j);
    if (j->clicks.count < (uint64_t)run_whole(j->run, "min_judgments"))
        return run_too_little(j->run, err,
                              "clicks judge %zu documents of %" PRIu64
                              " queries, parameter \"min_judgments\" asks for %" PRId64 "; %" PRIu64
                              " more have less than \"min_sessions\" or \"min_confidence\"",
                              j->clicks.count, j->queries, run_whole(j->run, "min_judgments"), j->clicks.too_little);
    read_rules(j);
    judge_grades(&j->clicks, &j->rules, &j->top);
    judge_merge(&j->clicks, j->has_human ? &j->human : NULL, j->has_own ? &j->own : NULL, &j->rules, &j->set);
    return publish(j, err);
}

static bool run_judgments(struct run_context *run, struct err *err)
{
    struct judging j = { .run = run, .name = run->param(run, "set"), .method = run->param(run, "method") };
    arena_init(&j.arena, ARENA_FIRST);
    buf_init(&j.file, ARTIFACT_BYTES_MAX);
    bool ok = judge_all(&j, err);
    judged_set_release(&j.set);
    click_judgeds_release(&j.clicks);
    serp_set_release(&j.searches);
    buf_release(&j.file);
    arena_release(&j.arena);
    return ok;
}

const struct job job_judgments = { "judgments", run_judgments };
