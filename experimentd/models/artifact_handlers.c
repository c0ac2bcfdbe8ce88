/* What reads whole artifacts: upload, download, export, compare. The work is a thread's (desk.h) with a connection of its own; the worker only answers. */
#include "base/json.h"
#include "base/pgloop.h"
#include "experimentd/models/compare.h"
#include "experimentd/models/desk.h"
#include "experimentd/models/engines/engine.h"
#include "experimentd/models/engines/import.h"
#include "experimentd/models/export.h"
#include "experimentd/models/handlers.h"
#include "experimentd/models/parts.h"
#include "experimentd/models/registry.h"
#include "experimentd/server.h"

enum { NAME_MAX_BYTES = 64, DESCRIPTION_MAX = 4000, COMPARED_MAX = 64 << 20, NOTE_MAX = 2048 };

/* A piece of work. The thread has all but the request, of which the body alone is read, by upload. */
struct reading {
    struct http_request *req;
    struct worker *worker;
    struct arena arena;
    const char *url;
    bool (*work)(struct reading *r, struct pg *pg, struct err *err);
    const char *model, *version, *other; /* other: that is compared with it */
    const char *section, *description, *actor;
    enum export_format format;
    const struct engine_format *engine; /* NULL: lists as a table */
    bool import;
    enum engine_import_format import_format;
    struct str body;

    /* The answer. */
    bool ok;
    struct err err;
    struct registry_version a, b;
    struct buf out, note;
    int added;
};

/* ---- the thread ---- */

static void work(void *arg)
{
    struct reading *r = arg;
    struct pg *pg = pg_open(r->url, "experimentd models", registry_statements, registry_statements_count, &r->err);
    r->ok = pg && r->work(r, pg, &r->err);
    pg_close(pg);
}

static void reading_free(void *arg)
{
    struct reading *r = arg;
    registry_version_release(&r->a);
    registry_version_release(&r->b);
    buf_release(&r->out);
    buf_release(&r->note);
    arena_release(&r->arena);
    mem_free(r);
}

static struct reading *reading_new(struct http_request *req, struct worker *worker,
                                   bool (*fn)(struct reading *r, struct pg *pg, struct err *err))
{
    struct reading *r = mem_zalloc(sizeof *r);
    *r = (struct reading){ .req = req, .worker = worker, .work = fn };
    arena_init(&r->arena, 4096);
    r->url = arena_cstr(&r->arena, str_of(worker->server->database_url));
    r->model = arena_cstr(&r->arena, req->params[0]);
    r->actor = arena_cstr(&r->arena, req->key_label);
    r->body = req->body;
    return r;
}

static void reading_run(struct reading *r, desk_done_fn done)
{
    struct http_request *req = r->req;
    struct err err;
    if (desk_run(r->worker->desk, work, done, reading_free, r, &err))
        return;
    http_reply_err(req, &err);
    reading_free(r);
}

static void refuse(struct reading *r, const struct err *err)
{
    http_reply_err(r->req, err);
    reading_free(r);
}

/* The path's version; false: it is none, which is answered. */
static bool take_version(struct reading *r)
{
    struct str text = r->req->params[1];
    struct err err;
    r->version = arena_cstr(&r->arena, text);
    if (version_is_text(text))
        return true;
    (void)err_set(&err, ERR_NOT_FOUND, "model \"%.64s\" has no version \"%.64s\"", r->model, r->version);
    refuse(r, &err);
    return false;
}

/* ---- the artifact as it is ---- */

static bool work_artifact(struct reading *r, struct pg *pg, struct err *err)
{
    return registry_read(pg, r->model, r->version, &r->arena, &r->a, err);
}

static void done_artifact(void *arg)
{
    struct reading *r = arg;
    struct http_request *req = r->req;
    if (!r->ok) {
        http_reply_err(req, &r->err);
        return;
    }
    http_reply_header(req, STR("ETag"), arena_printf(&req->arena, "\"%s\"", r->a.artifact.digest));
    http_reply_header(req, STR("Content-Disposition"),
                      arena_printf(&req->arena, "attachment; filename=\"%s-%d.model\"", r->model, r->a.version));
    http_reply(req, 200, "application/octet-stream", buf_str(&r->a.file));
}

void model_versions_artifact(struct http_request *req, void *arg)
{
    struct reading *r = reading_new(req, arg, work_artifact);
    if (take_version(r))
        reading_run(r, done_artifact);
}

/* ---- export ---- */

/* What sections could be asked for, when the one that was is none. */
static bool no_section(const struct artifact *a, const char *wanted, struct err *err)
{
    char name[ARTIFACT_NAME], known[160] = "";
    struct lists l;
    for (size_t i = 0; i < a->sections_count; i++) {
        size_t n = strlen(known);
        struct str section = artifact_section_at(a, i, name);
        if (lists_read(section, &l, NULL))
            (void)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", name);
    }
    return err_set(err, ERR_INVALID, "query string: field \"section\" is \"%.24s\"; lists of this version are: %s",
                   wanted, known);
}

static bool first_lists(const struct artifact *a, struct lists *out, struct err *err)
{
    char name[ARTIFACT_NAME];
    for (size_t i = 0; i < a->sections_count; i++)
        if (lists_read(artifact_section_at(a, i, name), out, NULL))
            return true;
    return err_set(err, ERR_INVALID, "artifact of kind \"%s\" has no lists", a->kind);
}

/* A ranker as an engine takes it. */
static bool work_engine(struct reading *r, struct err *err)
{
    struct ranker ranker;
    if (strcmp(r->a.artifact.kind, RANKER_KIND) != 0)
        return err_set(err, ERR_INVALID,
                       "query string: field \"format\" is \"%s\", for rankers; this model is of kind \"%s\"",
                       r->engine->name, r->a.artifact.kind);
    return ranker_open(&r->a.artifact, &r->arena, &ranker, err) &&
           engine_export(r->engine, &ranker, r->model, r->a.version, &r->out, &r->note, err);
}

/* Sections of text that is JSON go out as they are. */
static bool is_json(struct str section)
{
    return section.n && (section.p[0] == '{' || section.p[0] == '[');
}

static bool work_export(struct reading *r, struct pg *pg, struct err *err)
{
    struct lists l;
    if (!registry_read(pg, r->model, r->version, &r->arena, &r->a, err))
        return false;
    buf_init(&r->out, REGISTRY_FILE_MAX);
    buf_init(&r->note, NOTE_MAX);
    if (r->engine)
        return work_engine(r, err);
    struct str section = r->section ? artifact_section(&r->a.artifact, r->section) : (struct str){ NULL, 0 };
    if (is_json(section)) {
        r->format = EXPORT_JSON;
        buf_add_str(&r->out, section);
        return buf_ok(&r->out, "the export", err);
    }
    if (!r->section && !first_lists(&r->a.artifact, &l, err))
        return false;
    if (r->section && !(section.p && lists_read(section, &l, NULL)))
        return no_section(&r->a.artifact, r->section, err);
    export_lists(&l, r->format, &r->out);
    return buf_ok(&r->out, "the export", err);
}

static void reply_engine(struct reading *r)
{
    const struct engine_format *f = r->engine;
    http_reply_header(r->req, STR("Content-Disposition"),
                      arena_printf(&r->req->arena, "attachment; filename=\"%s_v%d-%s.%s\"", r->model, r->a.version,
                                   f->name, f->extension));
    if (r->note.n)
        http_reply_header(r->req, STR("X-Export-Note"), buf_str(&r->note));
    http_reply(r->req, 200, f->content_type, buf_str(&r->out));
}

static void done_export(void *arg)
{
    struct reading *r = arg;
    static const struct {
        const char *suffix, *type;
    } forms[] = { [EXPORT_CSV] = { "csv", "text/csv; charset=utf-8; header=present" },
                  [EXPORT_JSONL] = { "jsonl", "application/x-ndjson" },
                  [EXPORT_JSON] = { "json", "application/json" } };
    if (!r->ok) {
        http_reply_err(r->req, &r->err);
        return;
    }
    if (r->engine) {
        reply_engine(r);
        return;
    }
    http_reply_header(r->req, STR("Content-Disposition"),
                      arena_printf(&r->req->arena, "attachment; filename=\"%s-%d%s%s.%s\"", r->model, r->a.version,
                                   r->section ? "-" : "", r->section ? r->section : "", forms[r->format].suffix));
    http_reply(r->req, 200, forms[r->format].type, buf_str(&r->out));
}

static bool take_format(struct reading *r, struct str name, struct err *err)
{
    AUTO(buf_release) struct buf known;
    buf_init(&known, 400);
    r->engine = engine_format_of(name);
    r->format = str_eq_c(name, "jsonl") ? EXPORT_JSONL : EXPORT_CSV;
    if (r->engine || str_eq_c(name, "csv") || str_eq_c(name, "jsonl"))
        return true;
    for (size_t i = 0; i < engine_formats_count; i++)
        buf_addf(&known, "%s%s", i ? ", " : "", engine_formats[i].name);
    return err_set(err, ERR_INVALID,
                   "query string: field \"format\" is neither csv nor jsonl, nor for rankers " STR_FMT,
                   STR_ARG(buf_str(&known)));
}

void model_versions_export(struct http_request *req, void *arg)
{
    struct reading *r = reading_new(req, arg, work_export);
    struct str text;
    struct err err;
    if (!take_version(r))
        return;
    if (http_query(req, STR("section"), &text) && text.n)
        r->section = arena_cstr(&r->arena, str_cut(text, ARTIFACT_NAME));
    if (http_query(req, STR("format"), &text) && !take_format(r, text, &err)) {
        refuse(r, &err);
        return;
    }
    reading_run(r, done_export);
}

/* ---- compare ---- */

static bool work_compare(struct reading *r, struct pg *pg, struct err *err)
{
    if (!registry_read(pg, r->model, r->version, &r->arena, &r->a, err) ||
        !registry_read(pg, r->model, r->other, &r->arena, &r->b, err))
        return false;
    const struct compared a = { r->a.version, r->a.card, r->a.metrics, &r->a.artifact };
    const struct compared b = { r->b.version, r->b.card, r->b.metrics, &r->b.artifact };
    buf_init(&r->out, COMPARED_MAX);
    return compare_write(&a, &b, &r->out, err);
}

static void done_compare(void *arg)
{
    struct reading *r = arg;
    if (r->ok)
        http_reply_json(r->req, 200, buf_str(&r->out));
    else
        http_reply_err(r->req, &r->err);
}

static bool read_versions(struct reading *r, struct err *err)
{
    static const struct str names[] = { STR("a"), STR("b") };
    const char **const to[] = { &r->version, &r->other };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str text;
        if (!http_query(r->req, names[i], &text) || !version_is_text(text))
            return err_set(err, ERR_INVALID,
                           "query string: field \"%s\" must be a version: a number, or \"@\" and an alias", names[i].p);
        *to[i] = arena_cstr(&r->arena, text);
    }
    return true;
}

void models_compare(struct http_request *req, void *arg)
{
    struct reading *r = reading_new(req, arg, work_compare);
    struct err err;
    if (read_versions(r, &err))
        reading_run(r, done_compare);
    else
        refuse(r, &err);
}

/* ---- upload ---- */

/* What the artifact says of itself goes with it, so that one that comes from another server keeps its card. */
static struct str card_of(struct reading *r, const struct artifact *a)
{
    struct str card = artifact_section(a, "card");
    json_auto_t *root = card.p ? json_parse(card, NULL) : NULL;
    return json_is_object(root) ? arena_str(&r->arena, card) : STR("{}");
}

/* What another library trained becomes an artifact first. */
static bool imported(struct reading *r, struct err *err)
{
    buf_init(&r->out, REGISTRY_FILE_MAX);
    if (!engine_import(r->import_format, r->body, &r->out, err))
        return false;
    r->body = buf_str(&r->out);
    return true;
}

static bool work_upload(struct reading *r, struct pg *pg, struct err *err)
{
    struct artifact a;
    if (r->import && !imported(r, err))
        return false;
    return registry_check(r->body, &a, err) &&
           registry_add(pg, r->model, &a, r->description, card_of(r, &a), r->actor, &r->added, err);
}

static void done_upload(void *arg)
{
    struct reading *r = arg;
    struct http_request *req = r->req;
    if (!r->ok) {
        http_reply_err(req, &r->err);
        return;
    }
    struct str path = arena_printf(&req->arena, "/v1/models/%s/versions/%d", r->model, r->added);
    http_reply_header(req, STR("Location"), path);
    http_reply_json(req, 201, arena_printf(&req->arena, "{\"model\":\"%s\",\"version\":%d}", r->model, r->added));
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        if (!letter && (i == 0 || !memchr("._-", s.p[i], 3)))
            return false;
    }
    return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

void model_versions_upload(struct http_request *req, void *arg)
{
    struct reading *r = reading_new(req, arg, work_upload);
    struct str text = STR("");
    struct err err;
    if (!is_name(req->params[0])) {
        (void)err_set(&err, ERR_INVALID,
                      "model \"%.64s\": a name begins with a small letter or a digit, and has these, \".\", \"_\" and "
                      "\"-\", at most %d",
                      r->model, NAME_MAX_BYTES);
        refuse(r, &err);
        return;
    }
    r->import = http_query(req, STR("format"), &text) && !str_eq_c(text, "artifact");
    if (r->import && !engine_import_format_of(text, &r->import_format)) {
        (void)err_set(&err, ERR_INVALID, "query string: field \"format\" is none of artifact, xgboost, lightgbm");
        refuse(r, &err);
        return;
    }
    text = STR("");
    (void)http_query(req, STR("description"), &text);
    if (text.n > DESCRIPTION_MAX || !str_is_utf8(text)) {
        (void)err_set(&err, ERR_INVALID, "query string: field \"description\" is longer than %d bytes or not UTF-8",
                      DESCRIPTION_MAX);
        refuse(r, &err);
        return;
    }
    r->description = arena_cstr(&r->arena, text);
    reading_run(r, done_upload);
}
