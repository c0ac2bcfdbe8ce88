#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/spelling/spelling.h"

enum { JSON_MAX = 4096 };

/* ---- terms ---- */

bool terms_params_read(struct str json, struct terms_params *out, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    int64_t longest = 0, min_searches = 0;
    if (!root)
        return false;
    *out = (struct terms_params){ .longest = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "longest", JSON_REQUIRED, &longest);
    (void)json_get_bool(&r, "lists", JSON_REQUIRED, &out->lists);
    (void)json_get_i64(&r, "min_searches", JSON_REQUIRED, &min_searches);
    if (longest < 1 || longest > TERMS_LONGEST)
        (void)json_fail(&r, "longest", "is not from 1 to %d", TERMS_LONGEST);
    out->longest = (uint32_t)longest;
    out->min_searches = (uint64_t)min_searches;
    return json_reader_close(&r, err);
}

struct str terms_params_write(const struct terms_params *p, struct arena *arena)
{
    return arena_printf(arena, "{\"longest\":%u,\"lists\":%s,\"min_searches\":%llu}", p->longest,
                        p->lists ? "true" : "false", (unsigned long long)p->min_searches);
}

/* ---- spelling ---- */

/* Its members, each once: written and read by the same table. */
enum kind { WHOLE32, WHOLE64, REAL, FLAG };
#define FIELD(name, kind, member)                                \
    {                                                            \
        (name), (kind), offsetof(struct spelling_params, member) \
    }
static const struct field {
    const char *name;
    enum kind kind;
    size_t offset;
} fields[] = {
    FIELD("max_distance", WHOLE32, rules.max_distance),
    FIELD("min_prefix", WHOLE32, rules.min_prefix),
    FIELD("min_letters", WHOLE32, rules.min_letters),
    FIELD("length_scale", REAL, rules.length_scale),
    FIELD("least_word", WHOLE64, rules.least_word),
    FIELD("least_phrase", WHOLE64, rules.least_phrase),
    FIELD("least_clicks", WHOLE64, rules.least_clicks),
    FIELD("ratio", REAL, rules.ratio),
    FIELD("counts", REAL, rules.counts),
    FIELD("edits", REAL, rules.edits),
    FIELD("sound", REAL, rules.sound),
    FIELD("last", REAL, rules.last),
    FIELD("sessions", REAL, rules.sessions),
    FIELD("context", REAL, rules.context),
    FIELD("dictionary", REAL, rules.dictionary),
    FIELD("has_dictionary", FLAG, rules.has_dictionary),
    FIELD("word_below", WHOLE64, word_below),
    FIELD("phrase_below", WHOLE64, phrase_below),
    FIELD("phrases", FLAG, phrases),
};

static void read_field(struct json_reader *r, const struct field *f, void *at)
{
    int64_t whole = 0;
    switch (f->kind) {
    case WHOLE32:
        (void)json_get_i64(r, f->name, JSON_REQUIRED, &whole);
        *(uint32_t *)at = (uint32_t)whole;
        break;
    case WHOLE64:
        (void)json_get_i64(r, f->name, JSON_REQUIRED, &whole);
        *(uint64_t *)at = (uint64_t)whole;
        break;
    case REAL:
        (void)json_get_double(r, f->name, JSON_REQUIRED, at);
        break;
    case FLAG:
        (void)json_get_bool(r, f->name, JSON_REQUIRED, at);
        break;
    }
}

bool spelling_params_read(struct str json, struct spelling_params *out, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    if (!root)
        return false;
    memset(out, 0, sizeof *out);
    json_reader_open(&r, root, "params");
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        read_field(&r, &fields[i], (char *)out + fields[i].offset);
    return json_reader_close(&r, err);
}

struct str spelling_params_write(const struct spelling_params *p, struct arena *arena)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const void *at = (const char *)p + fields[i].offset;
        switch (fields[i].kind) {
        case WHOLE32:
            jsonw_i64(&w, fields[i].name, *(const uint32_t *)at);
            break;
        case WHOLE64:
            jsonw_i64(&w, fields[i].name, (int64_t)(*(const uint64_t *)at));
            break;
        case REAL:
            jsonw_double(&w, fields[i].name, *(const double *)at);
            break;
        case FLAG:
            jsonw_bool(&w, fields[i].name, *(const bool *)at);
            break;
        }
    }
    jsonw_close(&w);
    return arena_str(arena, buf_str(&b));
}

/* ---- rows ---- */

void spelling_row_write(struct buf *out, const struct spelling_row *r)
{
    struct spelling_numbers n;
    memset(&n, 0, sizeof n); /* what lies between the members, too */
    n.typed = r->numbers.typed;
    n.searches = r->numbers.searches;
    n.clicks = r->numbers.clicks;
    n.listed = r->numbers.listed;
    n.next = r->numbers.next;
    n.edit_cost = r->numbers.edit_cost;
    n.score = r->numbers.score;
    n.probability = r->numbers.probability;
    n.confidence = r->numbers.confidence;
    n.distance = r->numbers.distance;
    n.sounds_same = r->numbers.sounds_same;
    n.words_known = r->numbers.words_known;
    n.split = r->numbers.split;
    record_put_text(out, r->input);
    record_put_text(out, r->output);
    record_put(out, &n, sizeof n);
}

bool spelling_row_read(struct str *bytes, struct spelling_row *out)
{
    return record_take_text(bytes, &out->input) && record_take_text(bytes, &out->output) &&
           record_take(bytes, &out->numbers, sizeof out->numbers);
}
