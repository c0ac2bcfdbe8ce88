#include "experimentd/ingest/signal.h"

#include <math.h>

#include "base/clock.h"

/* Nothing that a search log of today can mean lies before this. */
#define EARLIEST_US (INT64_C(631152000) * US_PER_SECOND) /* 1990-01-01 */
#define AHEAD_MAX_US US_PER_DAY                          /* clocks of clients run ahead */

static bool text(const char *field, struct str s, size_t max, bool required, struct err *err)
{
    if (required && s.n == 0)
        return err_set(err, ERR_INVALID, "field \"%s\" is missing or empty", field);
    if (s.n > max)
        return err_set(err, ERR_INVALID, "field \"%s\" has %zu bytes, more than %zu", field, s.n, max);
    if (!str_is_utf8(s))
        return err_set(err, ERR_INVALID, "field \"%s\" is not UTF-8 or holds a NUL", field);
    return true;
}

static bool type_format(struct str type, struct err *err)
{
    for (size_t i = 0; i < type.n; i++) {
        char c = type.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return err_set(err, ERR_INVALID, "field \"type\" may only hold a-z, 0-9, \"_\", \"-\", \".\"");
    }
    return true;
}

static bool year_in_reason(int64_t at_us, struct err *err)
{
    char when[CLOCK_TEXT_MAX];
    if (at_us < EARLIEST_US)
        return err_set(err, ERR_INVALID, "field \"timestamp\" is %s, before 1990", clock_format(at_us, when));
    return true;
}

/* Of exposures: they have no params that could keep the client's time. */
static bool time_in_reason(int64_t at_us, struct err *err)
{
    char when[CLOCK_TEXT_MAX];
    if (!year_in_reason(at_us, err))
        return false;
    if (at_us > clock_now_us() + AHEAD_MAX_US)
        return err_set(err, ERR_INVALID, "field \"timestamp\" is %s, more than a day ahead", clock_format(at_us, when));
    return true;
}

/* A client whose clock runs ahead must not put rows into days to come, nor lose them: they count when they came. What is given twice in
 * a jsonb counts last, so ours stands behind the client's members. */
static void settle_time(struct signal *s, struct arena *arena)
{
    char when[CLOCK_TEXT_MAX];
    if (s->at_us - s->received_us <= SIGNAL_AHEAD_MAX_US)
        return;
    struct str members = s->params.n >= 2 ? (struct str){ s->params.p + 1, s->params.n - 2 } : STR("");
    bool empty = true;
    for (size_t i = 0; i < members.n && empty; i++)
        empty = members.p[i] == ' ' || (members.p[i] >= '\t' && members.p[i] <= '\r');
    s->params = arena_printf(arena, "{%.*s%s\"client_time\":\"%s\"}", STR_ARG(members), empty ? "" : ",",
                             clock_format(s->at_us, when));
    s->at_us = s->received_us;
    s->ahead = true;
}

/* What params tell goes before what the format's own fields told. */
static void read_details(struct signal *s, struct arena *arena)
{
    struct details told;
    s->params = details_read(s->params, arena, &told);
    if (told.agent.p)
        s->client.agent = told.agent;
    if (told.address.p)
        s->client.address = told.address;
    if (told.said)
        s->client.said = told.said;
}

bool signal_check(struct signal *s, struct arena *arena, struct err *err)
{
    if (!year_in_reason(s->at_us, err))
        return false;
    read_details(s, arena);
    settle_time(s, arena);
    if (s->position < 0)
        return err_set(err, ERR_INVALID, "field \"position\" is %d, must be a whole number from 1", s->position);
    if (isinf(s->value))
        return err_set(err, ERR_INVALID, "field \"value\" is not a finite number");
    return text("type", s->type, SIGNAL_TYPE_MAX, true, err) && type_format(s->type, err) &&
           text("unit", s->unit, SIGNAL_UNIT_MAX, true, err) && text("user", s->user, SIGNAL_UNIT_MAX, false, err) &&
           text("session", s->session, SIGNAL_ID_MAX, false, err) &&
           text("query_id", s->query_id, SIGNAL_ID_MAX, false, err) &&
           text("query", s->query, SIGNAL_QUERY_MAX, false, err) && text("doc", s->doc, SIGNAL_DOC_MAX, false, err) &&
           text("params", s->params, SIGNAL_PARAMS_MAX, false, err);
}

bool exposure_check(const struct exposure *e, struct err *err)
{
    return text("experiment", e->experiment, 100, true, err) && text("variant", e->variant, 100, true, err) &&
           text("unit", e->unit, SIGNAL_UNIT_MAX, true, err) && time_in_reason(e->at_us, err);
}
