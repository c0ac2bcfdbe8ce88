#include "experimentd/ingest/formats/foreign.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

enum { NUMBER_BYTES = 64 };

void foreign_add(struct foreign_event *e, const struct signal *s, struct arena *arena)
{
    if ((e->signals_count & (e->signals_count - 1)) == 0) { /* 0, 1, 2, 4, …: full */
        size_t room = e->signals_count ? 2 * e->signals_count : 1;
        struct signal *next = arena_alloc(arena, room * sizeof *next);
        if (e->signals_count)
            memcpy(next, e->signals, e->signals_count * sizeof *next);
        e->signals = next;
    }
    e->signals[e->signals_count++] = *s;
}

json_t *lenient_any(json_t *object, const char *a, const char *b)
{
    const char *names[] = { a, b };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        json_t *v = names[i] ? json_object_get(object, names[i]) : NULL;
        if (v && !json_is_null(v) && !(json_is_string(v) && json_string_length(v) == 0))
            return v;
    }
    return NULL;
}

struct str lenient_text(json_t *v, struct arena *arena)
{
    if (json_is_string(v))
        return arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
    if (json_is_integer(v))
        return arena_printf(arena, "%lld", (long long)json_integer_value(v));
    if (json_is_real(v))
        return arena_printf(arena, "%.17g", json_real_value(v));
    return (struct str){ NULL, 0 };
}

struct str lenient_field(json_t *object, const char *a, const char *b, struct arena *arena)
{
    return lenient_text(lenient_any(object, a, b), arena);
}

struct str lenient_object(json_t *v, struct arena *arena)
{
    char *text = json_is_object(v) && json_object_size(v) ? json_dumps(v, JSON_COMPACT) : NULL;
    struct str out = text ? arena_str(arena, str_of(text)) : (struct str){ NULL, 0 };
    mem_free(text);
    return out;
}

struct str lenient_attributes(json_t *fields, struct arena *arena)
{
    json_t *own = json_object_get(fields, "attributes");
    return lenient_object(json_is_object(own) ? own : fields, arena);
}

double lenient_number(json_t *v)
{
    char *end;
    if (json_is_number(v))
        return json_number_value(v);
    if (!json_is_string(v) || !json_string_length(v) || json_string_length(v) >= NUMBER_BYTES)
        return NAN;
    double number = strtod(json_string_value(v), &end);
    return *end || !isfinite(number) ? NAN : number;
}

int32_t lenient_position(json_t *v)
{
    double number = lenient_number(v);
    return number >= 1 && number <= INT32_MAX && number == floor(number) ? (int32_t)number : SIGNAL_POSITION_NONE;
}

bool lenient_time(json_t *object, const char *name, int64_t *out, struct arena *arena, struct err *err)
{
    json_t *v = lenient_any(object, name, NULL);
    bool ok = true;
    if (json_is_number(v))
        ok = clock_from_number(json_number_value(v), out, err);
    else if (v)
        ok = clock_parse(lenient_text(v, arena), out, err);
    return ok || err_prefix(err, "field \"%s\": ", name);
}

struct str lenient_type(struct str name, struct arena *arena)
{
    char *text = arena_cstr(arena, name);
    for (size_t i = 0; i < name.n; i++)
        text[i] = isalnum((unsigned char)text[i]) || strchr("_.-", text[i]) ? (char)tolower((unsigned char)text[i])
                                                                            : '_';
    return (struct str){ text, name.n };
}
