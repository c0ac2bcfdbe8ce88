#include "experimentd/http/asks.h"

bool http_if_match(struct http_request *req, const char *what, const char **out, struct err *err)
{
    struct str match = http_header(req, STR("if-match"));
    uint32_t version;
    *out = NULL;
    if (!match.n || str_eq(match, STR("*")))
        return true;
    if (match.n < 3 || match.p[0] != '"' || match.p[match.n - 1] != '"' ||
        !parse_u32((struct str){ match.p + 1, match.n - 2 }, &version, NULL))
        return err_set(err, ERR_INVALID, "header \"If-Match\" must be an ETag%s%s, like \"3\" with its quotes",
                       what ? " of the " : "", what ? what : "");
    *out = arena_printf(&req->arena, "%u", version).p;
    return true;
}

bool http_query_flag(struct http_request *req, struct str name, bool *out, struct err *err)
{
    struct str text;
    *out = false;
    return !http_query(req, name, &text) || parse_bool(text, out, NULL) ||
           err_set(err, ERR_INVALID, "query parameter \"" STR_FMT "\" is \"" STR_FMT "\", neither true nor false",
                   STR_ARG(name), STR_ARG(str_cut(text, 60)));
}

bool http_query_count(struct http_request *req, struct str name, uint32_t fallback, uint32_t max, uint32_t *out,
                      struct err *err)
{
    struct str text;
    *out = fallback;
    return !http_query(req, name, &text) || (parse_u32(text, out, NULL) && *out >= 1 && *out <= max) ||
           err_set(err, ERR_INVALID, "query parameter \"" STR_FMT "\" is \"" STR_FMT "\", not from 1 to %u",
                   STR_ARG(name), STR_ARG(str_cut(text, 60)), max);
}

static bool no_choice(struct http_request *req, struct str name, const char *const *names, struct str given,
                      struct err *err)
{
    struct str list = STR("");
    for (size_t i = 0; names[i]; i++)
        list = arena_printf(&req->arena, STR_FMT "%s%s", STR_ARG(list), i ? ", " : "", names[i]);
    if (!given.p)
        return err_set(err, ERR_INVALID, "query parameter \"" STR_FMT "\" must be one of " STR_FMT, STR_ARG(name),
                       STR_ARG(list));
    return err_set(err, ERR_INVALID, "query parameter \"" STR_FMT "\" is \"" STR_FMT "\", none of " STR_FMT,
                   STR_ARG(name), STR_ARG(str_cut(given, 40)), STR_ARG(list));
}

bool http_query_choice(struct http_request *req, struct str name, const char *const *names, const char *fallback,
                       size_t *out, struct err *err)
{
    struct str text;
    if (!http_query(req, name, &text)) {
        if (!fallback)
            return no_choice(req, name, names, (struct str){ NULL, 0 }, err);
        text = str_of(fallback);
    }
    for (*out = 0; names[*out]; (*out)++)
        if (str_eq_c(text, names[*out]))
            return true;
    return no_choice(req, name, names, text, err);
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        if (!letter && !(i > 0 && memchr("_.-", s.p[i], 3)))
            return false;
    }
    return s.n > 0 && s.n <= HTTP_NAME_MAX;
}

bool http_name_check(struct str name, const char *what, struct err *err)
{
    return is_name(name) ||
           err_set(err, ERR_INVALID, "%s has small letters, digits and _ . - behind the first, at most %d", what,
                   HTTP_NAME_MAX);
}
