#include "experimentd/models/registry.h"

#include <stdio.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/models/model_json.h"
#include "model/artifact_parts.h"
#include "model/catalogue.h"
#include "model/clusters.h"
#include "model/ranker.h"
#include "model/recommend.h"
#include "model/rewrite.h"
#include "model/vectors.h"

enum { JSON_MAX = 1 << 20 };

enum stmt { VERSION, PART, OPEN, ADD, TELL };
const struct pg_stmt registry_statements[] = {
    [VERSION] = { "registry_version", 2,
                  "select v.version, v.status, v.artifact, v.bytes, v.card, v.metrics from model_versions v where "
                  "v.model = $1 and v.version = " VERSION_OF("$1", "$2") },
    [PART] = { "registry_part", 2, "select content from artifact_parts where digest = $1 and part = $2::int" },
    [OPEN] = { "registry_open", 3, "select artifact_open($1, $2::bigint, $3)" },
    [ADD] = { "registry_add", 3, "select a->>'version', a->>'detail' from model_version_add($1, $2, $3::jsonb) a" },
    [TELL] = { "registry_tell", 4,
               "insert into revisions (actor, subject, action, after) values ($1, 'model:' || $2, 'upload', "
               "jsonb_build_object('version', $3::int, 'artifact', $4::text))" },
};
const size_t registry_statements_count = COUNT_OF(registry_statements);

/* ---- reading ---- */

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

static bool read_parts(struct pg *pg, const char *digest, struct buf *file, struct err *err)
{
    for (uint32_t part = 0;; part++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%u", part);
        const char *params[] = { digest, number };
        AUTO(pg_result_free) PGresult *r = pg_run(pg, &registry_statements[PART], params, err);
        if (!r || PQntuples(r) == 0)
            return r != NULL;
        if (!add_part(file, r, err))
            return false;
    }
}

/* What is wrong with it is our fault, not the client's. */
static bool open_artifact(struct registry_version *v, const char *digest, struct err *err)
{
    if (artifact_read(buf_str(&v->file), &v->artifact, err) && strcmp(v->artifact.digest, digest) == 0)
        return true;
    if (v->artifact.bytes.p)
        return err_set(err, ERR_SYSTEM, "artifact is damaged: it has checksum %.16s…, expected is %.16s…",
                       v->artifact.digest, digest);
    err->kind = ERR_SYSTEM;
    return false;
}

bool registry_read(struct pg *pg, const char *model, const char *version, struct arena *arena,
                   struct registry_version *out, struct err *err)
{
    const char *params[] = { model, version };
    *out = (struct registry_version){ .version = 0 };
    buf_init(&out->file, REGISTRY_FILE_MAX);
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &registry_statements[VERSION], params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return err_set(err, ERR_NOT_FOUND, "model \"%.64s\" has no version \"%.64s\"", model, version);
    if (PQgetisnull(r, 0, 2))
        return err_set(err, ERR_CONFLICT, "version %s of model \"%.64s\" is %s: it has no artifact",
                       PQgetvalue(r, 0, 0), model, PQgetvalue(r, 0, 1));
    out->version = (int)pg_get_i64(r, 0, 0);
    out->card = arena_str(arena, pg_get(r, 0, 4));
    out->metrics = arena_str(arena, pg_get(r, 0, 5));
    return (read_parts(pg, PQgetvalue(r, 0, 2), &out->file, err) && open_artifact(out, PQgetvalue(r, 0, 2), err)) ||
           err_prefix(err, "model \"%.64s\", version %s: ", model, PQgetvalue(r, 0, 0));
}

void registry_version_release(struct registry_version *v)
{
    buf_release(&v->file);
}

/* ---- checking ---- */

static bool check_recommender(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct recommender r;
    return recommender_open(a, &r, arena, err);
}

static bool check_rewrites(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct rewrites r;
    (void)arena;
    return rewrites_read(a, &r, err);
}

static bool check_catalogue(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct catalogue c;
    (void)arena;
    return catalogue_read(a, &c, err);
}

static bool check_lists(const struct artifact *a, struct arena *arena, struct err *err)
{
    static const char *const names[] = { "queries_for_query", "items_for_query", "boosts", "similar" };
    (void)arena;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str section = artifact_section(a, names[i]);
        struct lists l;
        if (section.p && !lists_read(section, &l, err))
            return err_prefix(err, "section \"%s\": ", names[i]);
    }
    return true;
}

static bool check_ranker(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct ranker r;
    return ranker_open(a, arena, &r, err);
}

static bool check_clusters(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct clusters c;
    return clusters_open(a, arena, &c, err);
}

static bool check_vectors(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct vectors v;
    return vectors_open(a, arena, &v, err);
}

/* What a kind says of its sections; others are taken as they are, and nothing here serves them. */
static const struct {
    const char *kind;
    bool (*check)(const struct artifact *a, struct arena *arena, struct err *err);
} checks[] = {
    { "recommender", check_recommender }, { REWRITES_KIND, check_rewrites }, { CATALOGUE_KIND, check_catalogue },
    { "queries", check_lists },           { "boosts", check_lists },         { RANKER_KIND, check_ranker },
    { CLUSTERS_KIND, check_clusters },    { VECTORS_KIND, check_vectors },
};

bool registry_check(struct str file, struct artifact *out, struct err *err)
{
    struct artifact a;
    struct arena arena;
    if (!artifact_read(file, &a, err))
        return false;
    arena_init(&arena, 1 << 16);
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT_OF(checks); i++)
        if (strcmp(checks[i].kind, a.kind) == 0)
            ok = checks[i].check(&a, &arena, err);
    arena_release(&arena);
    if (ok)
        *out = a;
    return ok;
}

/* ---- a new version ---- */

static bool send_artifact(struct pg *pg, const struct artifact *a, struct err *err)
{
    char bytes[24];
    (void)snprintf(bytes, sizeof bytes, "%zu", a->bytes.n);
    const char *params[] = { a->digest, bytes, a->kind };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &registry_statements[OPEN], params, err);
    return r && artifact_parts_send(pg, a->digest, a->bytes, err);
}

static bool add_row(struct pg *pg, const char *model, const struct artifact *a, const struct buf *doc, int *out_version,
                    struct err *err)
{
    const char *params[] = { model, a->kind, doc->p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &registry_statements[ADD], params, err);
    if (!r)
        return false;
    if (PQgetisnull(r, 0, 0))
        return err_set(err, ERR_CONFLICT, "model \"%.64s\" is of kind %s, not %s", model, PQgetvalue(r, 0, 1), a->kind);
    *out_version = (int)pg_get_i64(r, 0, 0);
    return true;
}

static void write_row(struct buf *b, const struct artifact *a, const char *description, struct str card,
                      const char *actor)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "status", "ready");
    jsonw_text(&w, "artifact", a->digest);
    jsonw_i64(&w, "bytes", (int64_t)a->bytes.n);
    jsonw_raw(&w, "card", card);
    jsonw_text(&w, "description", description);
    jsonw_text(&w, "created_by", actor);
    jsonw_close(&w);
}

static bool tell(struct pg *pg, const char *model, int version, const struct artifact *a, const char *actor,
                 struct err *err)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", version);
    const char *params[] = { actor, model, number, a->digest };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &registry_statements[TELL], params, err);
    return r != NULL;
}

bool registry_add(struct pg *pg, const char *model, const struct artifact *a, const char *description, struct str card,
                  const char *actor, int *out_version, struct err *err)
{
    AUTO(buf_release) struct buf doc;
    buf_init(&doc, JSON_MAX);
    write_row(&doc, a, description, card, actor);
    return buf_ok(&doc, "what is said of the version", err) && pg_begin(pg, err) && send_artifact(pg, a, err) &&
           add_row(pg, model, a, &doc, out_version, err) && tell(pg, model, *out_version, a, actor, err) &&
           pg_commit(pg, err);
}
