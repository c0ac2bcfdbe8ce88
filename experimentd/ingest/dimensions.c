#include "experimentd/ingest/dimensions.h"

#include "base/buf.h"

/* A byte of a value takes up to six as an escape. */
enum { OBJECT_BYTES_MAX = DIMENSIONS_MAX * (DIMENSION_NAME_MAX + 6 * DIMENSION_VALUE_MAX + 6) + 2 };

/* ---- the declaration ---- */

static bool check_name(const struct dimensions *d, struct str name, struct err *err)
{
    if (d->count == DIMENSIONS_MAX)
        return err_set(err, ERR_INVALID, "setting \"" DIMENSIONS_SETTING "\" names more than %d dimensions",
                       DIMENSIONS_MAX);
    if (name.n == 0 || name.n > DIMENSION_NAME_MAX)
        return err_set(err, ERR_INVALID, "setting \"" DIMENSIONS_SETTING "\": a name has %zu bytes, not 1 to %d",
                       name.n, DIMENSION_NAME_MAX);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
              c == '.'))
            return err_set(err, ERR_INVALID,
                           "setting \"" DIMENSIONS_SETTING "\": \"" STR_FMT
                           "\" may only hold A-Z, a-z, 0-9, \"_\", \"-\", \".\"",
                           STR_ARG(name));
    }
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->names[i], name))
            return err_set(err, ERR_INVALID, "setting \"" DIMENSIONS_SETTING "\" names \"" STR_FMT "\" twice",
                           STR_ARG(name));
    return true;
}

bool dimensions_init(struct dimensions *d, const char *list, struct err *err)
{
    struct str rest = str_trim(str_of(list)), name;
    d->count = 0;
    while (rest.n && str_split(&rest, ',', &name)) {
        name = str_trim(name);
        if (!check_name(d, name, err))
            return false;
        d->names[d->count++] = name;
    }
    return true;
}

/* ---- values ---- */

static struct str text_of(const struct assign_value *v, char number[ASSIGN_NUMBER_TEXT_MAX])
{
    struct str s = { NULL, 0 };
    switch (v ? v->type : ASSIGN_MISSING) {
    case ASSIGN_BOOL:
        return v->boolean ? STR("true") : STR("false");
    case ASSIGN_NUMBER:
        return (struct str){ number, assign_number_text(v->number, number) };
    case ASSIGN_STRING:
        s = str_cut((struct str){ v->text.p, v->text.n }, DIMENSION_VALUE_MAX);
        return s.n && str_is_utf8(s) ? s : (struct str){ NULL, 0 };
    case ASSIGN_MISSING:
    case ASSIGN_NULL:
    case ASSIGN_ARRAY:
    case ASSIGN_OBJECT:
    default:
        return s;
    }
}

struct str dimensions_of(const struct dimensions *d, const struct assign_value *attributes, struct arena *arena)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, OBJECT_BYTES_MAX);
    for (size_t i = 0; i < d->count; i++) {
        char number[ASSIGN_NUMBER_TEXT_MAX];
        struct str text = text_of(assign_member(attributes, d->names[i].p, d->names[i].n), number);
        if (!text.p)
            continue;
        buf_add_byte(&b, b.n ? ',' : '{');
        buf_add_json_str(&b, d->names[i]);
        buf_add_byte(&b, ':');
        buf_add_json_str(&b, text);
    }
    if (!b.n)
        return (struct str){ NULL, 0 };
    buf_add_byte(&b, '}');
    return arena_str(arena, buf_str(&b));
}

struct str dimensions_of_json(const struct dimensions *d, struct str attributes, struct arena *arena)
{
    struct assign_value root;
    struct assign_error ignored;
    struct assign_arena memory = { NULL, NULL, arena_more, arena };
    if (!attributes.n || !d->count || !assign_json_read(attributes.p, attributes.n, &memory, &root, &ignored))
        return (struct str){ NULL, 0 };
    return dimensions_of(d, &root, arena);
}
