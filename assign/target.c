/* URL targeting, and redirects. Source: the SDK's isURLTargeted, mergeQueryStrings and automatic experiments. */
#include "assign/target.h"

#include "assign/arena.h"
#include "assign/session.h"
#include "assign/text.h"
#include "assign/url.h"
#include "assign/value.h"

#define WILD "_____" /* what "*" is while a pattern is a URL: no host may have a star */
enum { WILD_N = sizeof WILD - 1 };

/* ---- simple patterns ---- */

/* A regular expression for one part of a URL: the text itself, with ".*" for stars. */
static const struct assign_regex *part_regex(struct assign_text text, bool is_path, struct assign_arena *a)
{
    char *out = assign_alloc(a, text.n * 2 + 16);
    size_t n = 0;
    if (!out)
        return NULL;
    if (is_path && text.n && text.p[0] == '/')
        text = (struct assign_text){ text.p + 1, text.n - 1 };
    if (is_path && text.n && text.p[text.n - 1] == '/')
        text.n--;
    out[n++] = '^';
    for (int i = 0; is_path && i < 2; i++)
        out[n++] = "/?"[i];
    for (size_t i = 0; i < text.n;) {
        if (text.n - i >= WILD_N && memcmp(text.p + i, WILD, WILD_N) == 0) {
            out[n++] = '.';
            out[n++] = '*';
            i += WILD_N;
            continue;
        }
        if (text.p[i] && strchr("*.+?^${}()|[]\\", text.p[i]))
            out[n++] = '\\';
        out[n++] = text.p[i++];
    }
    for (int i = 0; is_path && i < 2; i++)
        out[n++] = "/?"[i];
    out[n++] = '$';
    return assign_regex_compile((struct assign_text){ out, n }, true, a);
}

/* The pattern as a URL: "https://" before a host without a scheme, stars as WILD. */
static bool pattern_url(struct assign_text pattern, struct assign_arena *a, struct assign_url *out)
{
    size_t run = 0, n = 0;
    bool host = false;
    for (; run < pattern.n && !strchr(":/?", pattern.p[run]); run++)
        host = host || pattern.p[run] == '.';
    char *text = assign_alloc(a, pattern.n * WILD_N + 16);
    if (!text)
        return false;
    if (host) {
        memcpy(text, "https://", 8);
        n = 8;
    }
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] != '*') {
            text[n++] = pattern.p[i];
            continue;
        }
        memcpy(text + n, WILD, WILD_N);
        n += WILD_N;
    }
    return assign_url_read((struct assign_text){ text, n }, WILD, a, out);
}

static bool compile_parameters(struct assign_text query, struct assign_arena *a, struct assign_url_target *t)
{
    struct assign_text key, value;
    uint32_t room = 1;
    for (size_t i = 0; i < query.n; i++)
        room += query.p[i] == '&';
    struct assign_url_parameter *list = assign_alloc_array(a, room, sizeof *list);
    if (!list)
        return false;
    for (size_t at = 0; assign_url_parameter(query, &at, a, &key, &value);)
        list[t->parameters_count++] = (struct assign_url_parameter){ key, part_regex(value, false, a) };
    t->parameters = list;
    return true;
}

bool assign_url_target_compile(const struct assign_value *json, struct assign_arena *a, struct assign_url_target *out)
{
    const struct assign_value *include = assign_member_c(json, "include");
    struct assign_text type = assign_member_text(json, "type"), pattern = assign_member_text(json, "pattern");
    struct assign_url url;
    memset(out, 0, sizeof *out);
    out->include = !(include && include->type == ASSIGN_BOOL && !include->boolean);
    if (!pattern.p)
        return true;
    if (assign_text_equal(type, ASSIGN_TEXT("regex"))) {
        out->kind = URL_REGEX;
        out->regex = assign_regex_compile(pattern, false, a);
    } else if (assign_text_equal(type, ASSIGN_TEXT("simple")) && pattern_url(pattern, a, &url)) {
        out->kind = URL_SIMPLE;
        out->host = part_regex(url.host, false, a);
        out->path = part_regex(url.path, true, a);
        out->with_hash = url.hash.n > 0;
        if (out->with_hash)
            out->hash = part_regex(url.hash, false, a);
        return compile_parameters(url.query, a, out);
    }
    return true;
}

/* ---- matching ---- */

static bool fits(const struct assign_regex *regex, struct assign_text text, struct assign_scratch *s)
{
    return regex && assign_regex_match(regex, text, s);
}

/* The first parameter of that name, or "". */
static struct assign_text parameter_of(const struct assign_url *url, struct assign_text name, struct assign_scratch *s)
{
    struct assign_text key, value;
    for (size_t at = 0; assign_url_parameter(url->query, &at, s->arena, &key, &value);)
        if (assign_text_equal(key, name))
            return value;
    return ASSIGN_TEXT("");
}

static bool simple_fits(const struct assign_url_target *t, const struct assign_url *url, struct assign_scratch *s)
{
    if (!fits(t->host, url->host, s) || !fits(t->path, url->path, s) || (t->with_hash && !fits(t->hash, url->hash, s)))
        return false;
    for (uint32_t i = 0; i < t->parameters_count; i++)
        if (!fits(t->parameters[i].regex, parameter_of(url, t->parameters[i].key, s), s))
            return false;
    return true;
}

static bool target_fits(const struct assign_url_target *t, const struct assign_url *url, struct assign_scratch *s)
{
    struct assign_text href = url->href;
    if (t->kind == URL_SIMPLE)
        return simple_fits(t, url, s);
    if (t->kind != URL_REGEX)
        return false;
    size_t origin = url->origin_n < href.n ? url->origin_n : href.n;
    return fits(t->regex, href, s) || fits(t->regex, (struct assign_text){ href.p + origin, href.n - origin }, s);
}

bool assign_url_targeted(struct assign_text text, const struct assign_url_target *targets, uint32_t count,
                         struct assign_scratch *s)
{
    struct assign_url url;
    bool read = assign_url_read(text, "_", s->arena, &url), including = false, included = false;
    for (uint32_t i = 0; i < count; i++) {
        bool fit = read && target_fits(&targets[i], &url, s);
        if (!targets[i].include && fit)
            return false;
        including = including || targets[i].include;
        included = included || (targets[i].include && fit);
    }
    return count > 0 && (included || !including);
}

/* ---- merging ---- */

static bool has_parameter(struct assign_text query, struct assign_text name, struct assign_arena *a)
{
    struct assign_text key, value;
    for (size_t at = 0; assign_url_parameter(query, &at, a, &key, &value);)
        if (assign_text_equal(key, name))
            return true;
    return false;
}

struct writer {
    char *p;
    size_t n;
};

static void write_parameter(struct writer *w, struct assign_text key, struct assign_text value)
{
    w->p[w->n] = w->n ? '&' : '?';
    w->n++;
    w->n += assign_url_encode(key, w->p + w->n);
    w->p[w->n++] = '=';
    w->n += assign_url_encode(value, w->p + w->n);
}

/* The new URL's parameters, then those of the old one that it lacks; once changed, all are written anew, as URLSearchParams does. */
static bool merged_query(struct assign_text old_query, struct assign_text new_query, struct assign_arena *a,
                         struct assign_text *out)
{
    struct assign_text key, value;
    size_t most = (old_query.n + new_query.n) * 9 +
                  16; /* a byte that is no UTF-8 becomes three, and each three characters */
    struct writer w = { assign_alloc(a, most), 0 };
    bool changed = false;
    if (!w.p)
        return false;
    for (size_t at = 0; assign_url_parameter(new_query, &at, a, &key, &value);)
        write_parameter(&w, key, value);
    for (size_t at = 0; assign_url_parameter(old_query, &at, a, &key, &value);) {
        bool again = has_parameter((struct assign_text){ w.p, w.n }, key, a);
        if (again)
            continue;
        write_parameter(&w, key, value);
        changed = true;
    }
    *out = changed ? (struct assign_text){ w.p, w.n } : new_query;
    return true;
}

bool assign_url_merge(struct assign_text old_url, struct assign_text new_url, struct assign_arena *a,
                      struct assign_text *out)
{
    struct assign_url from, to;
    struct assign_text query;
    *out = new_url;
    if (!assign_url_read(old_url, NULL, a, &from) || !assign_url_read(new_url, NULL, a, &to))
        return true;
    if (!merged_query(from.query, to.query, a, &query))
        return false;
    if (query.p == to.query.p) {
        *out = to.href;
        return true;
    }
    struct assign_text parts[3] = { to.before_query, query, to.hash };
    return assign_text_join(parts, 3, a, out);
}

/* ---- redirects ---- */

static bool is_url(struct assign_text text, struct assign_arena *a)
{
    struct assign_url ignored;
    return assign_url_read(text, NULL, a, &ignored);
}

static struct assign_text redirect_of(const struct assign_value *variation)
{
    return assign_member_text(variation, "urlRedirect");
}

/* The current URL and those of all variations must be URLs. */
static bool can_redirect(const struct assign_session *s, const struct assign_trial *t)
{
    bool can = t->redirects && !t->manual && is_url(s->unit->url, s->scratch.arena);
    for (uint32_t i = 0; can && i < t->variations->count; i++) {
        struct assign_text url = redirect_of(&t->variations->items[i]);
        can = url.n == 0 || is_url(url, s->scratch.arena);
    }
    return can;
}

static bool target_of(struct assign_session *s, const struct assign_trial *t, const struct assign_run *run,
                      struct assign_text *out)
{
    struct assign_text url = redirect_of(run->value);
    if (url.n == 0)
        return true;
    if (t->persists_query && !assign_url_merge(s->unit->url, url, s->scratch.arena, &url))
        return false;
    if (!assign_url_targeted(url, t->urls, t->urls_count, &s->scratch))
        *out = url;
    return true;
}

bool assign_redirect(struct assign_session *s, struct assign_text *out, struct assign_run *out_run)
{
    *out = (struct assign_text){ NULL, 0 };
    for (uint32_t i = 0; i < s->p->autos_count; i++) {
        const struct assign_trial *t = &s->p->autos[i];
        if (!can_redirect(s, t))
            continue;
        if (!assign_run_auto(s, i, out_run))
            return false;
        if (out_run->in_experiment)
            return target_of(s, t, out_run, out) && !s->scratch.failed;
    }
    return !s->scratch.failed;
}
