#include "experimentd/serving/ask.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "experimentd/ingest/signal.h"
#include "experimentd/server.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/recent.h"
#include "experimentd/serving/write.h"
#include "model/query_text.h"

enum { NAME_MAX_BYTES = 64, N_DEFAULT = 10 };

enum name {
    FOR,
    ID,
    UNIT,
    MODEL,
    ALIAS,
    N,
    HISTORY,
    EXCLUDE,
    EXCLUDE_SEEN,
    FILL,
    RECENT,
    DIVERSITY,
    FILTER,
    NAME_COUNT
};
static const struct field names[] = {
    [FOR] = { "for", FIELD_TEXT },
    [ID] = { "id", FIELD_TEXT },
    [UNIT] = { "unit", FIELD_TEXT },
    [MODEL] = { "model", FIELD_TEXT },
    [ALIAS] = { "alias", FIELD_TEXT },
    [N] = { "n", FIELD_NUMBER },
    [HISTORY] = { "history", FIELD_LIST },
    [EXCLUDE] = { "exclude", FIELD_LIST },
    [EXCLUDE_SEEN] = { "exclude_seen", FIELD_BOOL },
    [FILL] = { "fill", FIELD_BOOL },
    [RECENT] = { "recent", FIELD_BOOL },
    [DIVERSITY] = { "diversity", FIELD_NUMBER },
    [FILTER] = { "filter", FIELD_JSON },
};
static_assert(COUNT_OF(names) == NAME_COUNT && (int)NAME_COUNT <= (int)FIELDS_MAX, "one row each");

/* ---- reading ---- */

static bool read_for(const struct assign_value *v, enum recommend_for *out, struct err *err)
{
    struct str text = field_text(v);
    for (int i = 0; i < RECOMMEND_FOR_COUNT; i++)
        if (str_eq_c(text, recommend_for_names[i])) {
            *out = (enum recommend_for)i;
            return true;
        }
    if (!text.p)
        return err_set(err, ERR_INVALID, "field \"for\" is missing: user, item, query, users, queries or top");
    return err_set(err, ERR_INVALID, "field \"for\" is \"" STR_FMT "\", not user, item, query, users, queries or top",
                   STR_ARG(str_cut(text, NAME_MAX_BYTES)));
}

/* What is asked for: of a query its normal form, as models have it. */
static bool read_id(const struct assign_value *v, struct recommend_request *q, struct arena *arena, struct err *err)
{
    bool query = q->of == RECOMMEND_QUERY || q->of == RECOMMEND_QUERIES;
    size_t most = query ? SIGNAL_QUERY_MAX : q->of == RECOMMEND_USER ? SIGNAL_UNIT_MAX : SIGNAL_DOC_MAX;
    bool required = q->of != RECOMMEND_TOP && !(q->of == RECOMMEND_USER && q->history_count);
    if (!field_short(v, "id", required, most, &q->id, err))
        return false;
    if (query)
        q->id = query_text(q->id, arena_alloc(arena, QUERY_TEXT_MAX));
    if (query && !q->id.n)
        return err_set(err, ERR_INVALID, "field \"id\" is blank");
    if (!q->id.p)
        q->id = STR("");
    return true;
}

static bool read_texts(const struct assign_value *list, const char *name, struct arena *arena, const struct str **out,
                       size_t *out_count, struct err *err)
{
    uint32_t n = list->type == ASSIGN_ARRAY ? list->count : 0;
    struct str *texts = n ? arena_alloc(arena, n * sizeof *texts) : NULL;
    for (uint32_t i = 0; i < n; i++) {
        texts[i] = field_text(&list->items[i]);
        if (!texts[i].p)
            return err_set(err, ERR_INVALID, "field \"%s\" element %u is not a string", name, i);
    }
    *out = texts;
    *out_count = n;
    return true;
}

/* An item, or {"item", "weight"}. */
static bool read_event(const struct assign_value *v, uint32_t i, struct recommend_event *out, struct err *err)
{
    static const struct field members[] = { { "item", FIELD_TEXT }, { "weight", FIELD_NUMBER } };
    struct assign_value parts[COUNT_OF(members)];
    if (v->type == ASSIGN_STRING) {
        *out = (struct recommend_event){ field_text(v), 1 };
        return true;
    }
    if (!fields_of_object(v, members, COUNT_OF(members), parts, err) ||
        !field_short(&parts[0], "item", true, SIGNAL_DOC_MAX, &out->item, err) ||
        !field_number(&parts[1], "weight", 0, 1e6, false, 1, &out->weight, err))
        return err_prefix(err, "field \"history\" element %u: ", i);
    return true;
}

static bool read_history(const struct assign_value *list, struct arena *arena, struct recommend_request *q,
                         struct err *err)
{
    uint32_t n = list->type == ASSIGN_ARRAY ? list->count : 0;
    struct recommend_event *events = n ? arena_alloc(arena, n * sizeof *events) : NULL;
    if (n > RECOMMEND_HISTORY_MAX)
        return err_set(err, ERR_TOO_LARGE, "field \"history\" has more than %d elements", RECOMMEND_HISTORY_MAX);
    for (uint32_t i = 0; i < n; i++)
        if (!read_event(&list->items[i], i, &events[i], err))
            return false;
    q->history = events;
    q->history_count = n;
    return true;
}

static bool read_rest(const struct assign_value *v, struct recommend_ask *a, struct err *err)
{
    struct recommend_request *q = &a->request;
    double n, diversity;
    if (!field_number(&v[N], "n", 1, RECOMMEND_N_MAX, true, N_DEFAULT, &n, err) ||
        !field_number(&v[DIVERSITY], "diversity", 0, 1, false, 0, &diversity, err) ||
        !field_short(&v[UNIT], "unit", false, SIGNAL_UNIT_MAX, &q->unit, err))
        return false;
    if (diversity > 0 && n > RECOMMEND_DIVERSE_MAX)
        return err_set(err, ERR_INVALID, "field \"diversity\" goes with \"n\" up to %d", RECOMMEND_DIVERSE_MAX);
    q->n = (uint32_t)n;
    q->diversity = diversity;
    q->exclude_seen = field_bool(&v[EXCLUDE_SEEN], q->of == RECOMMEND_USER);
    q->fill = field_bool(&v[FILL], true);
    a->recent = field_bool(&v[RECENT], true);
    a->condition = v[FILTER].type == ASSIGN_OBJECT ? &v[FILTER] : NULL;
    return true;
}

static bool take(const struct assign_value *v, struct arena *arena, struct recommend_ask *a, struct err *err)
{
    struct recommend_request *q = &a->request;
    return read_for(&v[FOR], &q->of, err) && read_history(&v[HISTORY], arena, q, err) &&
           read_id(&v[ID], q, arena, err) && field_model(&v[MODEL], &v[ALIAS], &a->model, &a->alias, err) &&
           read_texts(&v[EXCLUDE], "exclude", arena, &q->exclude, &q->exclude_count, err) && read_rest(v, a, err);
}

bool recommend_ask_read(struct http_request *req, struct recommend_ask *out, struct err *err)
{
    struct assign_value *v = arena_alloc(&req->arena, NAME_COUNT * sizeof *v);
    *out = (struct recommend_ask){ .recent_count = 0 };
    return fields_of_request(req, names, NAME_COUNT, v, err) && take(v, &req->arena, out, err);
}

bool recommend_ask_of(const struct assign_value *object, struct arena *arena, struct recommend_ask *out,
                      struct err *err)
{
    struct assign_value *v = arena_alloc(arena, NAME_COUNT * sizeof *v);
    *out = (struct recommend_ask){ .recent_count = 0 };
    return fields_of_object(object, names, NAME_COUNT, v, err) && take(v, arena, out, err);
}

/* ---- the model ---- */

/* 2: it has lists of this kind; 1: a user's history tells it something; 0: nothing but what is popular. */
static int fitness(const struct serving_entry *e, enum recommend_for of)
{
    static const enum recommend_section sections[] = {
        [RECOMMEND_USER] = SECTION_ITEMS_FOR_USER,       [RECOMMEND_ITEM] = SECTION_ITEMS_FOR_ITEM,
        [RECOMMEND_QUERY] = SECTION_ITEMS_FOR_QUERY,     [RECOMMEND_USERS] = SECTION_USERS_FOR_ITEM,
        [RECOMMEND_QUERIES] = SECTION_QUERIES_FOR_QUERY, [RECOMMEND_TOP] = SECTION_POPULAR,
    };
    static_assert(COUNT_OF(sections) == RECOMMEND_FOR_COUNT, "one section each");
    const struct recommender *r = e->served ? e->served->view : NULL;
    if (!r)
        return 0;
    if (r->has[sections[of]])
        return 2;
    return of == RECOMMEND_USER && (r->has_factors || r->has[SECTION_ITEMS_FOR_ITEM]);
}

const struct serving_entry *recommend_ask_model(const struct recommend_ask *ask, const struct serving *s,
                                                struct str usual, struct err *err)
{
    const struct serving_entry *best = NULL;
    int most = 0;
    if (ask->model.n || usual.n)
        return serving_find(s, SERVING_RECOMMENDER, ask->model.n ? ask->model : usual, ask->alias, err);
    for (size_t i = 0; s && i < s->entries_count && most < 2; i++) {
        const struct serving_entry *e = &s->entries[i];
        bool asked = e->view == SERVING_RECOMMENDER && str_eq(e->alias, ask->alias);
        int fits = asked ? fitness(e, ask->request.of) : 0;
        if (fits > most) {
            best = e;
            most = fits;
        }
    }
    return best ? best : serving_find(s, SERVING_RECOMMENDER, (struct str){ NULL, 0 }, ask->alias, err);
}

/* ---- answering ---- */

/* The request's history comes first: the front end may know what has not arrived yet. */
static void add_recent(struct recommend_ask *a, struct recent *recent, struct arena *arena)
{
    struct recommend_request *q = &a->request;
    struct recommend_event *lately, *both;
    struct str unit = q->of == RECOMMEND_USER ? q->id : q->unit;
    size_t n = a->recent && unit.n ? recent_get(recent, unit, clock_now_us(), arena, &lately) : 0;
    if (n == 0)
        return;
    if (n + q->history_count > RECOMMEND_HISTORY_MAX)
        n = RECOMMEND_HISTORY_MAX - q->history_count;
    both = arena_alloc(arena, (n + q->history_count) * sizeof *both);
    if (q->history_count)
        memcpy(both, q->history, q->history_count * sizeof *both);
    memcpy(both + q->history_count, lately, n * sizeof *both);
    q->history = both;
    q->history_count += n;
    a->recent_count = n;
}

/* Units of answers, and the filter. */
struct keeper {
    const struct serving *serving;
    const struct serving_entry *entry;
    struct filter filter;
    bool filtered, units;
};

static bool keep(void *arg, struct str item)
{
    struct keeper *k = arg;
    if (k->units)
        return !serving_forgets(k->serving, k->entry, item);
    return !k->filtered || filter_keeps(&k->filter, item);
}

bool recommend_answer_write(struct recommend_ask *ask, const struct serving *s, const struct serving_entry *e,
                            struct worker *worker, struct arena *arena, struct buf *out, struct err *err)
{
    struct recommend_request *q = &ask->request;
    struct recommend_answer answer;
    struct keeper k = { .serving = s, .entry = e, .units = q->of == RECOMMEND_USERS };
    struct str unit = q->of == RECOMMEND_USER ? q->id : q->unit;
    k.filtered = ask->condition && !k.units && q->of != RECOMMEND_QUERIES;
    if (ask->condition && !k.filtered)
        return err_set(err, ERR_INVALID, "field \"filter\" is for items, not for %s", recommend_for_names[q->of]);
    if (k.filtered && !filter_open(&k.filter, s, ask->condition, err))
        return false;
    if (k.filtered || (k.units && s->erased_count)) {
        q->keep = keep;
        q->keep_arg = &k;
    }
    q->forget = unit.n && serving_forgets(s, e, unit);
    add_recent(ask, worker->server->recent, arena);
    recommend(e->served->view, q, arena, &answer);
    if (k.filtered)
        filter_close(&k.filter);
    write_recommendations(ask, e, &answer, out);
    return true;
}
