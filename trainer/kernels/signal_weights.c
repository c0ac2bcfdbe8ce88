#include "trainer/kernels/signal_weights.h"

#include <math.h>

enum { TYPE_BYTES_MAX = 100, SHOWN_MAX = 60 };

static bool add(struct signal_weights *w, struct str type, double weight, struct err *err)
{
    if (w->count == SIGNAL_WEIGHTS_MAX)
        return err_set(err, ERR_INVALID, "weights name more than %d types", SIGNAL_WEIGHTS_MAX);
    w->types[w->count] = type;
    w->weights[w->count++] = weight;
    return true;
}

static bool add_pair(struct signal_weights *w, struct str pair, struct arena *arena, struct err *err)
{
    struct str rest = str_trim(pair), type;
    double weight;
    if (!str_split(&rest, '=', &type) || type.n == 0 || type.n > TYPE_BYTES_MAX || rest.n == 0)
        return err_set(err, ERR_INVALID, "\"" STR_FMT "\" in weights is not TYPE=NUMBER, as in click=1,cart=10",
                       STR_ARG(str_cut(pair, SHOWN_MAX)));
    if (!parse_double(rest, &weight, NULL) || !isfinite(weight) || weight < 0)
        return err_set(err, ERR_INVALID, "weight \"" STR_FMT "\" of \"" STR_FMT "\" is not a number of at least 0",
                       STR_ARG(str_cut(rest, SHOWN_MAX)), STR_ARG(str_cut(type, SHOWN_MAX)));
    if (signal_weights_find(w, type) >= 0)
        return err_set(err, ERR_INVALID, "weights name \"" STR_FMT "\" twice", STR_ARG(str_cut(type, SHOWN_MAX)));
    return add(w, arena_str(arena, type), weight, err);
}

bool signal_weights_read(struct str text, struct arena *arena, struct signal_weights *out, struct err *err)
{
    struct str rest = text, pair;
    *out = (struct signal_weights){ .count = 0 };
    while (str_split(&rest, ',', &pair))
        if (!add_pair(out, pair, arena, err))
            return false;
    return out->count > 0 || err_set(err, ERR_INVALID, "weights name no type");
}

bool signal_weights_need(struct signal_weights *w, struct str type, struct err *err)
{
    return signal_weights_find(w, type) >= 0 || add(w, type, 0, err);
}

int signal_weights_find(const struct signal_weights *w, struct str type)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (str_eq(w->types[i], type))
            return (int)i;
    return -1;
}
