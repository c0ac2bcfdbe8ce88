#include "experimentd/config/payload_condition.h"

#include "experimentd/config/payload.h"

enum { REGEX_MAX = 8192 };

/* ---- conditions ---- */

static void write_segment(struct jsonw *w, const struct snapshot_object *g, bool in, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    if (g->condition_json.n) {
        if (in) {
            jsonw_open(w, "$and", '[');
            jsonw_raw(w, NULL, g->condition_json);
            jsonw_close(w);
        } else {
            jsonw_raw(w, "$not", g->condition_json);
        }
    } else {
        jsonw_open(w, arena_cstr(arena, g->attribute), '{');
        jsonw_str(w, in ? "$inGroup" : "$notInGroup", g->key);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_segments(struct jsonw *w, const struct snapshot *s, const struct str_list *keys, bool in,
                           struct arena *arena)
{
    for (size_t i = 0; i < keys->n; i++) {
        const struct snapshot_object *g = snapshot_object(s, OBJECT_SEGMENT, keys->p[i]);
        if (g)
            write_segment(w, g, in, arena);
    }
}

/* "https://shop.example/search*" or "/search*": what is no "*" stands for itself; query string and fragment do not matter unless named. */
static struct str simple_regex(struct str pattern, struct arena *arena)
{
    struct buf b;
    bool query = false;
    buf_init(&b, REGEX_MAX);
    buf_add_c(&b, pattern.p[0] == '/' ? "^https?://[^/?#]+" : "^");
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        query = query || c == '?' || c == '#';
        if (c == '*') {
            buf_add_c(&b, query ? ".*" : "[^?#]*");
            continue;
        }
        if (strchr("\\^$.|?+()[]{}/", c) && c != '/')
            buf_add_byte(&b, '\\');
        buf_add_byte(&b, c);
    }
    buf_add_c(&b, query ? "$" : "/?([?#].*)?$");
    struct str regex = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return regex;
}

static void write_url(struct jsonw *w, const struct experiment_url *u, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    jsonw_open(w, "url", '{');
    jsonw_str(w, u->regex ? "$regex" : "$regexi", u->regex ? u->pattern : simple_regex(u->pattern, arena));
    jsonw_close(w);
    jsonw_close(w);
}

static size_t count_urls(const struct snapshot_experiment *e, bool include)
{
    size_t n = 0;
    for (size_t i = 0; i < e->urls_count; i++)
        n += e->urls[i].include == include;
    return n;
}

/* At least one of the included (when there are any), and none of the excluded. */
static void write_urls(struct jsonw *w, const struct snapshot_experiment *e, struct arena *arena)
{
    for (int include = 0; include < 2; include++) {
        if (!count_urls(e, include))
            continue;
        jsonw_open(w, NULL, '{');
        jsonw_open(w, include ? "$or" : "$nor", '[');
        for (size_t i = 0; i < e->urls_count; i++)
            if (e->urls[i].include == include)
                write_url(w, &e->urls[i], arena);
        jsonw_close(w);
        jsonw_close(w);
    }
}

void payload_write_condition(struct jsonw *w, const struct snapshot *s, const struct snapshot_experiment *e,
                             struct arena *arena)
{
    if (!e->segments.n && !e->not_segments.n && !e->urls_count) {
        if (e->targeting_json.n)
            jsonw_raw(w, "condition", e->targeting_json);
        return;
    }
    jsonw_open(w, "condition", '{');
    jsonw_open(w, "$and", '[');
    if (e->targeting_json.n)
        jsonw_raw(w, NULL, e->targeting_json);
    write_segments(w, s, &e->segments, true, arena);
    write_segments(w, s, &e->not_segments, false, arena);
    write_urls(w, e, arena);
    jsonw_close(w);
    jsonw_close(w);
}

/* ---- other experiments ---- */

static void write_parent(struct jsonw *w, struct str feature)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "id", feature);
    jsonw_open(w, "condition", '{');
}

static void write_prerequisite(struct jsonw *w, const struct experiment_prerequisite *p,
                               const struct snapshot_experiment *other)
{
    write_parent(w, other->parameter);
    jsonw_open(w, "$or", '[');
    for (size_t i = 0; i < other->variants_count; i++) {
        bool lets_in = false;
        for (size_t k = 0; k < p->variants.n; k++)
            lets_in = lets_in || str_eq(p->variants.p[k], other->variants[i].key);
        if (!lets_in)
            continue;
        jsonw_open(w, NULL, '{');
        jsonw_raw(w, "value", other->variants[i].value_json);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
    jsonw_close(w);
}

static void write_holdout(struct jsonw *w, const struct snapshot_experiment *holdout)
{
    write_parent(w, holdout->parameter);
    jsonw_text(w, "value", "open");
    jsonw_close(w);
    jsonw_close(w);
}

void payload_write_parents(struct jsonw *w, const struct snapshot *s, const struct snapshot_experiment *e,
                           const struct snapshot_experiment *const *live, size_t live_count)
{
    bool any = e->prerequisites_count > 0;
    for (size_t i = 0; i < live_count; i++)
        any = any || payload_holds_out(live[i], e);
    if (!any)
        return;
    jsonw_open(w, "parentConditions", '[');
    for (size_t i = 0; i < live_count; i++)
        if (payload_holds_out(live[i], e))
            write_holdout(w, live[i]);
    for (size_t i = 0; i < e->prerequisites_count; i++) {
        const struct snapshot_experiment *other = snapshot_experiment(s, e->prerequisites[i].experiment);
        if (other)
            write_prerequisite(w, &e->prerequisites[i], other);
    }
    jsonw_close(w);
}

static bool names(const struct str_list *list, struct str key)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->p[i], key))
            return true;
    return false;
}

void payload_write_groups(struct jsonw *w, const struct snapshot *s, const struct snapshot_experiment *const *live,
                          size_t live_count)
{
    jsonw_open(w, "savedGroups", '{');
    for (size_t i = 0; i < s->objects[OBJECT_SEGMENT].n; i++) {
        const struct snapshot_object *g = &s->objects[OBJECT_SEGMENT].p[i];
        bool used = false;
        for (size_t k = 0; k < live_count && !used; k++)
            used = names(&live[k]->segments, g->key) || names(&live[k]->not_segments, g->key);
        if (used && g->values_json.n)
            jsonw_raw(w, g->key.p, g->values_json);
    }
    jsonw_close(w);
}
