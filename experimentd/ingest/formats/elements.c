#include "experimentd/ingest/formats/elements.h"

#include "experimentd/ingest/formats/pull.h"

struct elements {
    const char *what;
    size_t max, index;
    element_fn fn;
    void *arg;
    struct arena *arena;
    struct err *err;
};

static bool report(struct elements *e, struct str text)
{
    if (e->index >= e->max)
        return err_set(e->err, ERR_TOO_LARGE, "the request holds more than %zu %s", e->max, e->what);
    return e->fn(e->arg, e->index++, text) || err_set(e->err, ERR_BUSY, "the reader was stopped");
}

static bool read_array(struct elements *e, struct str body)
{
    struct pull p;
    struct str text;
    pull_init(&p, body, e->arena);
    (void)pull_enter(&p, '[');
    for (bool first = true; pull_element(&p, first); first = false)
        if (!pull_skip(&p, &text) || !report(e, text))
            break;
    if (pull_ok(&p) && e->err->kind == ERR_NONE && !pull_at_end(&p))
        (void)pull_fail(&p, "there is more behind the array");
    if (!pull_ok(&p))
        return err_set(e->err, ERR_INVALID, "body: element %zu: %.200s", e->index, p.err.text);
    return e->err->kind == ERR_NONE;
}

/* A line that is no JSON is that line's error: the next newline is a sure place to go on. */
static bool read_lines(struct elements *e, struct str body)
{
    struct str rest = body, line;
    while (str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n && !report(e, line))
            return false;
    }
    return true;
}

bool elements_read(struct str body, const char *what, size_t max, struct arena *arena, element_fn fn, void *arg,
                   bool *out_single, struct err *err)
{
    struct elements e = { .what = what, .max = max, .fn = fn, .arg = arg, .arena = arena, .err = err };
    struct pull p;
    struct str text;
    *out_single = false;
    err->kind = ERR_NONE;
    pull_init(&p, body, arena);
    if (pull_at_end(&p))
        return err_set(err, ERR_INVALID, "body: empty, not an object, an array of %s or NDJSON", what);
    if (pull_peek(&p) == PULL_ARRAY)
        return read_array(&e, body);
    bool whole = pull_skip(&p, &text);
    if (whole && pull_at_end(&p)) {
        *out_single = true;
        return report(&e, text);
    }
    if (!memchr(str_trim(body).p, '\n', str_trim(body).n))
        return err_set(err, ERR_INVALID, "body: %.200s", whole ? "there is more behind the object" : p.err.text);
    return read_lines(&e, body);
}
