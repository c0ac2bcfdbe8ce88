#include "experimentd/serving/write.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* Of 0.000123 the zeros behind the point count: so many places tell as much. */
enum { PLACES_MAX = 12, SCORE_DIGITS = 6, FLOAT_DIGITS = 9 };

static void write_digits(struct buf *out, double v, int most)
{
    static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12 };
    static_assert(COUNT_OF(powers) == PLACES_MAX + 1, "one power a place");
    double size = fabs(v);
    char text[32], *at = text + sizeof text;
    int whole = 0;
    if (!(size >= 1e-4 && size < 1e6)) {
        if (!isfinite(v))
            buf_add_c(out, "null");
        else
            buf_addf(out, "%.*g", most, v);
        return;
    }
    while (whole < most && size >= powers[whole])
        whole++;
    int decimals = most - whole;
    for (double rest = size * 10; whole == 0 && rest < 1 && decimals < most + 3; rest *= 10)
        decimals++;
    uint64_t digits = (uint64_t)llround(size * powers[decimals]), cut = digits;
    for (; decimals && cut % 10 == 0; decimals--)
        cut /= 10;
    for (int i = 0; i < decimals; i++, cut /= 10)
        *--at = (char)('0' + cut % 10);
    if (decimals)
        *--at = '.';
    do {
        *--at = (char)('0' + cut % 10);
        cut /= 10;
    } while (cut);
    if (v < 0)
        *--at = '-';
    buf_add(out, at, (size_t)(text + sizeof text - at));
}

void write_score(struct buf *out, double v)
{
    write_digits(out, v, SCORE_DIGITS);
}

void write_float(struct buf *out, float v)
{
    write_digits(out, (double)v, FLOAT_DIGITS);
}

void write_model(struct buf *out, const struct serving_entry *e)
{
    buf_add_c(out, "{\"model\":\"");
    buf_add_str(out, e->model); /* names hold nothing that is to be escaped */
    buf_add_c(out, "\",\"alias\":\"");
    buf_add_str(out, e->alias);
    buf_add_c(out, "\",\"version\":");
    buf_add_u64(out, (uint64_t)e->version);
}

/* What a request of each kind is about, and what its answer lists. */
static const struct {
    const char *what, *list, *element;
} words[] = {
    [RECOMMEND_USER] = { "user", "items", "{\"item\":" },
    [RECOMMEND_ITEM] = { "item", "items", "{\"item\":" },
    [RECOMMEND_QUERY] = { "query", "items", "{\"item\":" },
    [RECOMMEND_USERS] = { "item", "users", "{\"user\":" },
    [RECOMMEND_QUERIES] = { "query", "queries", "{\"query\":" },
    [RECOMMEND_TOP] = { "category", "items", "{\"item\":" },
};
static_assert(COUNT_OF(words) == RECOMMEND_FOR_COUNT, "one row each");

static void write_note(const struct recommend_ask *ask, const struct recommend_answer *a, struct buf *out)
{
    const char *what = words[ask->request.of].what;
    const char *rest = a->count ? "what is popular instead" : "and it has nothing popular instead";
    if (a->note == RECOMMEND_FINE)
        return;
    if (ask->request.of == RECOMMEND_USERS || ask->request.of == RECOMMEND_QUERIES || !ask->request.fill)
        rest = "so there is no answer";
    if (a->note == RECOMMEND_NO_SECTION)
        buf_addf(out, ",\"note\":\"no_lists\",\"detail\":\"the model has no %s for %s: %s\"",
                 words[ask->request.of].list, what, rest);
    else if (ask->request.forget)
        buf_addf(out, ",\"note\":\"deleted_%s\",\"detail\":\"the %s was deleted after the model was trained: %s\"",
                 what, what, rest);
    else
        buf_addf(out, ",\"note\":\"unknown_%s\",\"detail\":\"the model does not know this %s: %s\"", what, what, rest);
}

static void write_item(const struct recommend_item *item, const char *element, struct buf *out)
{
    buf_add_c(out, element);
    buf_add_json_str(out, item->item);
    buf_add_c(out, ",\"score\":");
    write_score(out, item->score);
    buf_add_c(out, ",\"source\":\"");
    buf_add_c(out, recommend_source_names[item->source]);
    buf_add_c(out, "\"}");
}

void write_recommendations(const struct recommend_ask *ask, const struct serving_entry *e,
                           const struct recommend_answer *a, struct buf *out)
{
    const struct recommend_request *q = &ask->request;
    write_model(out, e);
    buf_add_c(out, ",\"for\":\"");
    buf_add_c(out, recommend_for_names[q->of]);
    buf_add_c(out, "\",\"id\":");
    buf_add_json_str(out, q->id);
    if (q->history_count)
        buf_addf(out, ",\"history\":{\"given\":%zu,\"recent\":%zu,\"known\":%zu}", q->history_count - ask->recent_count,
                 ask->recent_count, a->history_known);
    write_note(ask, a, out);
    buf_add_c(out, ",\"");
    buf_add_c(out, words[q->of].list);
    buf_add_c(out, "\":[");
    for (size_t i = 0; i < a->count; i++) {
        if (i)
            buf_add_byte(out, ',');
        write_item(&a->items[i], words[q->of].element, out);
    }
    buf_add_c(out, "]}");
}
