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

static bool time_in_reason(int64_t at_us, struct err *err)
{
    char when[CLOCK_TEXT_MAX];
    if (at_us < EARLIEST_US)
        return err_set(err, ERR_INVALID, "field \"timestamp\" is %s, before 1990", clock_format(at_us, when));
    if (at_us > clock_now_us() + AHEAD_MAX_US)
        return err_set(err, ERR_INVALID, "field \"timestamp\" is %s, more than a day ahead", clock_format(at_us, when));
    return true;
}

bool signal_check(const struct signal *s, struct err *err)
{
    if (s->position < 0)
        return err_set(err, ERR_INVALID, "field \"position\" is %d, must be a whole number from 1", s->position);
    if (isinf(s->value))
        return err_set(err, ERR_INVALID, "field \"value\" is not a finite number");
    return text("type", s->type, SIGNAL_TYPE_MAX, true, err) && type_format(s->type, err) &&
           text("unit", s->unit, SIGNAL_UNIT_MAX, true, err) && text("user", s->user, SIGNAL_UNIT_MAX, false, err) &&
           text("session", s->session, SIGNAL_ID_MAX, false, err) &&
           text("query_id", s->query_id, SIGNAL_ID_MAX, false, err) &&
           text("query", s->query, SIGNAL_QUERY_MAX, false, err) && text("doc", s->doc, SIGNAL_DOC_MAX, false, err) &&
           text("params", s->params, SIGNAL_PARAMS_MAX, false, err) && time_in_reason(s->at_us, err);
}

bool exposure_check(const struct exposure *e, struct err *err)
{
    return text("experiment", e->experiment, 100, true, err) && text("variant", e->variant, 100, true, err) &&
           text("unit", e->unit, SIGNAL_UNIT_MAX, true, err) && time_in_reason(e->at_us, err);
}
