#include "experimentd/evaluate/handlers.h"

#include "base/buf.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/snapshot_parts.h"
#include "experimentd/evaluate/ask.h"
#include "experimentd/evaluate/evaluation.h"
#include "experimentd/ingest/signal.h"
#include "experimentd/worker.h"

/* Of one request: assignments in all (each some 0.1 µs of the worker's time and an exposure); attributes in a query string. */
enum { ASSIGNMENTS_MAX = 20000, ANSWER_MAX = 64 << 20, SHOWN_MAX = 100, QUERY_ATTRIBUTES_MAX = 100 };

enum { ASSIGNMENT_BYTES = 128, ROOM_MAX = 1 << 20 }; /* of an answer: usual, and made room for at once */

static struct str piece_of(const struct snapshot_experiment *x, const struct evaluation_answer *a)
{
    const struct snapshot_assign *parts = x->assign;
    return a->variant >= 0 ? parts->assigned[a->variant] : parts->unassigned;
}

/* ---- GET: one unit, one experiment ---- */

static bool read_query(struct http_request *req, struct str *out_unit, int64_t *out_at_us, struct err *err)
{
    struct str timestamp = { NULL, 0 };
    if (!http_query(req, STR("unit"), out_unit))
        return err_set(err, ERR_INVALID, "field \"unit\" is missing or holds a bad percent escape");
    if (out_unit->n == 0)
        return err_set(err, ERR_INVALID, "field \"unit\" is empty");
    (void)http_query(req, STR("timestamp"), &timestamp);
    return ask_check_unit("unit", *out_unit, err) && ask_check_timestamp(req, timestamp, out_at_us, err);
}

/* attribute.NAME=TEXT becomes an attribute; true when this part of the query string is one. */
static bool query_attribute(struct http_request *req, struct str part, struct assign_member *out, struct err *err)
{
    struct str raw, name, value;
    static const struct str prefix = { "attribute.", 10 };
    struct str rest = part;
    err->kind = ERR_NONE;
    if (!str_split(&rest, '=', &raw) || !http_percent_decode(&req->arena, raw, true, &name) ||
        !str_starts(name, prefix))
        return false;
    if (!http_percent_decode(&req->arena, rest, true, &value) || !str_is_utf8(value) || !str_is_utf8(name))
        return err_set(err, ERR_INVALID, "field \"" STR_FMT "\" holds a bad percent escape or is not UTF-8",
                       STR_ARG(str_cut(name, SHOWN_MAX)));
    if (value.n > SIGNAL_UNIT_MAX)
        return err_set(err, ERR_INVALID, "field \"" STR_FMT "\" is longer than %d bytes",
                       STR_ARG(str_cut(name, SHOWN_MAX)), SIGNAL_UNIT_MAX);
    *out = (struct assign_member){ { name.p + prefix.n, name.n - prefix.n },
                                   { .type = ASSIGN_STRING, .text = { value.p, value.n } } };
    return true;
}

static bool query_attributes(struct http_request *req, struct assign_value *out, struct err *err)
{
    struct str rest = req->query, part;
    struct assign_member *members = NULL;
    uint32_t n = 0;
    while (str_split(&rest, '&', &part)) {
        struct assign_member m;
        if (!query_attribute(req, part, &m, err)) {
            if (err->kind != ERR_NONE)
                return false;
            continue;
        }
        if (n == QUERY_ATTRIBUTES_MAX)
            return err_set(err, ERR_INVALID, "more than %d attributes", QUERY_ATTRIBUTES_MAX);
        if (!members)
            members = arena_alloc(&req->arena, QUERY_ATTRIBUTES_MAX * sizeof *members);
        members[n++] = m;
    }
    if (n)
        *out = (struct assign_value){ .type = ASSIGN_OBJECT, .count = n, .members = members };
    return true;
}

static void get_ready(struct evaluation **list, size_t n, void *arg)
{
    struct evaluation *e = list[0];
    struct http_request *req = e->req;
    struct evaluation_answer answer;
    const struct snapshot_experiment *x = snapshot_experiment(e->snapshot, req->params[0]);
    struct err err;
    (void)n;
    (void)arg;
    if (!x || !x->assign) {
        err_set(&err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known",
                STR_ARG(str_cut(req->params[0], SHOWN_MAX)));
        http_reply_err(req, &err);
        return;
    }
    if (!evaluation_experiment(e, x, &answer, &err)) {
        http_reply_err(req, &err);
        return;
    }
    evaluation_commit(e);
    struct str parts[] = { STR("{\"assignments\":["), piece_of(x, &answer), str_of(answer.reason), STR("\"}]}") };
    http_reply_parts(req, 200, "application/json", parts, COUNT_OF(parts));
}

void evaluate_get(struct http_request *req, void *arg)
{
    struct str unit;
    int64_t at_us;
    struct err err;
    struct evaluation *e = evaluation_new(req, arg, (struct str){ NULL, 0 });
    if (!read_query(req, &unit, &at_us, &err) || !query_attributes(req, &e->unit.attributes, &err)) {
        (void)err_prefix(&err, "query string: ");
        http_reply_err(req, &err);
        return;
    }
    e->id = unit;
    e->at_us = at_us;
    e->experiments = evaluation_only(e, req->params[0]);
    struct evaluation **list = arena_alloc(&req->arena,
                                           sizeof(void *)); /* outlives this call when sticky ones are read */
    list[0] = e;
    evaluations_begin(list, 1, get_ready, NULL);
}

/* ---- POST: one object or an array of them ---- */

struct answer {
    struct http_request *req;
    const struct ask *asks;
    bool many;
    struct buf out;
    unsigned assignments;
    bool comma;
};

static bool begin_assignment(struct answer *a, struct err *err)
{
    if (++a->assignments > ASSIGNMENTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "the request asks for more than %d assignments", ASSIGNMENTS_MAX);
    if (a->comma)
        buf_add_byte(&a->out, ',');
    a->comma = true;
    return true;
}

static void put_assignment(struct buf *b, struct str piece, struct str reason)
{
    char *to = buf_reserve(b, piece.n + reason.n + 2);
    if (!to)
        return;
    memcpy(to, piece.p, piece.n);
    memcpy(to + piece.n, reason.p, reason.n);
    to += piece.n + reason.n;
    *to++ = '"';
    *to++ = '}';
    *to = '\0';
    b->n = (size_t)(to - b->p);
}

static bool put_experiment(struct answer *a, struct evaluation *e, const struct snapshot_experiment *x, struct err *err)
{
    struct evaluation_answer answer;
    if (!begin_assignment(a, err) || !evaluation_experiment(e, x, &answer, err))
        return false;
    put_assignment(&a->out, piece_of(x, &answer), str_of(answer.reason));
    return true;
}

static bool put_named(struct answer *a, struct evaluation *e, struct str name, struct err *err)
{
    const struct snapshot_experiment *x = snapshot_experiment(e->snapshot, name);
    if (x && x->assign)
        return put_experiment(a, e, x, err);
    if (!begin_assignment(a, err))
        return false;
    buf_add_c(&a->out, "{\"experiment\":");
    buf_add_json_str(&a->out, name);
    buf_add_c(&a->out, ",\"variant\":null,\"value\":null,\"reason\":\"unknown_experiment\"}");
    return true;
}

/* Without names: all that run, but holdouts, which are asked for by the others. */
static bool in_all(const struct evaluation *e, const struct snapshot_experiment *x)
{
    return x->assign && x->kind != EXPERIMENT_HOLDOUT &&
           (x->status == EXPERIMENT_RUNNING || (e->drafts && x->status == EXPERIMENT_DRAFT));
}

static bool put_ask(struct answer *a, struct evaluation *e, const struct ask *ask, struct err *err)
{
    if (!evaluation_check(e, err))
        return false;
    buf_add_c(&a->out, "{\"assignments\":[");
    a->comma = false;
    for (uint32_t i = 0; i < ask->names.count; i++) {
        struct assign_text name = ask->names.items[i].text;
        if (!put_named(a, e, (struct str){ name.p, name.n }, err))
            return false;
    }
    for (size_t i = 0; ask->names.type == ASSIGN_MISSING && i < e->snapshot->experiments_count; i++)
        if (in_all(e, &e->snapshot->experiments[i]) && !put_experiment(a, e, &e->snapshot->experiments[i], err))
            return false;
    buf_add_c(&a->out, "]}");
    return true;
}

static bool put_asks(struct answer *a, struct evaluation **list, size_t n, struct err *err)
{
    buf_add_c(&a->out, a->many ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        buf_add_c(&a->out, i ? "," : "");
        if (!put_ask(a, list[i], &a->asks[i], err))
            return a->many ? err_prefix(err, "element %zu: ", i) : false;
    }
    buf_add_c(&a->out, a->many ? "]" : "");
    return buf_ok(&a->out, "the answer", err);
}

/* About what the answer takes, so that it does not grow by doubling. */
static size_t room_for(struct evaluation *const *list, size_t n)
{
    size_t assignments = 0;
    for (size_t i = 0; i < n; i++)
        assignments += list[i]->experiments ? list[i]->experiments->count : list[i]->snapshot->experiments_count;
    return assignments < ROOM_MAX / ASSIGNMENT_BYTES ? (assignments + 1) * ASSIGNMENT_BYTES : ROOM_MAX;
}

static void post_ready(struct evaluation **list, size_t n, void *arg)
{
    struct answer *a = arg;
    struct err err;
    buf_init(&a->out, ANSWER_MAX);
    (void)buf_reserve(&a->out, room_for(list, n));
    if (put_asks(a, list, n, &err)) {
        for (size_t i = 0; i < n; i++)
            evaluation_commit(list[i]);
        http_reply_json(a->req, 200, buf_str(&a->out));
    } else {
        http_reply_err(a->req, &err);
    }
    buf_release(&a->out);
}

/* {"experiment": "variant"} as libassign takes it: indexes. Names that are not known force nothing. */
static const struct assign_value *force_indexes(struct http_request *req, const struct assign_value *force)
{
    const struct snapshot *s = snapshot_get();
    struct assign_member *members = arena_alloc(&req->arena, (force->count + 1) * sizeof *members);
    struct assign_value *out = arena_alloc(&req->arena, sizeof *out);
    uint32_t n = 0;
    for (uint32_t i = 0; i < force->count; i++) {
        const struct assign_member *m = &force->members[i];
        const struct snapshot_experiment *x = snapshot_experiment(s, (struct str){ m->key.p, m->key.n });
        int v = x ? experiment_variant(x, (struct str){ m->value.text.p, m->value.text.n }) : -1;
        if (v >= 0)
            members[n++] = (struct assign_member){ m->key, { .type = ASSIGN_NUMBER, .number = v } };
    }
    *out = (struct assign_value){ .type = ASSIGN_OBJECT, .count = n, .members = members };
    return out;
}

static struct evaluation *evaluation_of(struct http_request *req, struct worker *worker, const struct ask *ask)
{
    struct evaluation *e = evaluation_new(req, worker, ask->unit);
    e->unit.attributes = ask->attributes;
    e->unit.url = (struct assign_text){ ask->url.p, ask->url.n };
    e->at_us = ask->at_us;
    e->bulk = ask->names.type == ASSIGN_MISSING;
    e->experiments = e->bulk ? NULL : &ask->names;
    if (ask->force.count) {
        e->unit.forced_variations = force_indexes(req, &ask->force);
        e->silent = e->drafts = true;
    }
    return e;
}

void evaluate_post(struct http_request *req, void *arg)
{
    struct ask *asks;
    size_t n;
    struct err err;
    struct answer *a = arena_zalloc(&req->arena, sizeof *a);
    if (!asks_read(req, &asks, &n, &a->many, &err)) {
        http_reply_err(req, &err);
        return;
    }
    a->req = req;
    a->asks = asks;
    struct evaluation **list = arena_alloc(&req->arena, (n + 1) * sizeof(void *));
    for (size_t i = 0; i < n; i++)
        list[i] = evaluation_of(req, arg, &asks[i]);
    evaluations_begin(list, n, post_ready, a);
}
