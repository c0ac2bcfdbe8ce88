#include "experimentd/serving/filter.h"

#include <assert.h>

#include "assign/condition.h"
#include "base/buf.h"

enum { DEPTH_MAX = 16, KNOWN_MAX = 160, SHOWN_MAX = 60, PIECE_BYTES = 1024, SCRATCH_BYTES = 16 << 10 };

/* Those of targeting (assign/condition.h) but for regular expressions, which cost too much for each item, and saved groups. */
static bool known_operator(struct str name)
{
    static const char *const names[] = {
        "$eq",   "$ne",   "$lt",   "$lte", "$gt",  "$gte",       "$exists", "$in",  "$nin",  "$ini", "$nini", "$all",
        "$alli", "$type", "$size", "$not", "$veq", "$elemMatch", "$vne",    "$vgt", "$vgte", "$vlt", "$vlte",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

static bool unknown_field(const struct catalogue *c, struct str name, struct err *err)
{
    AUTO(buf_release) struct buf known;
    buf_init(&known, 2 * KNOWN_MAX);
    for (size_t i = 0; i < c->fields && known.n + c->names[i].n < KNOWN_MAX; i++)
        buf_addf(&known, "%s" STR_FMT, i ? ", " : "", STR_ARG(c->names[i]));
    return err_set(err, ERR_INVALID, "field \"filter\": the catalogue has no field \"" STR_FMT "\"; it has: " STR_FMT,
                   STR_ARG(str_cut(name, SHOWN_MAX)), STR_ARG(buf_str(&known)));
}

/* "colour.name" is a part of field "colour". */
static bool note_field(struct filter *f, struct str path, struct err *err)
{
    struct str name = path, rest = path;
    int field = catalogue_field(f->catalogue, path);
    if (field < 0 && str_split(&rest, '.', &name))
        field = catalogue_field(f->catalogue, name);
    if (field < 0)
        return unknown_field(f->catalogue, path, err);
    for (uint32_t i = 0; i < f->fields_count; i++)
        if (f->fields[i] == field)
            return true;
    if (f->fields_count == FILTER_FIELDS_MAX)
        return err_set(err, ERR_TOO_LARGE, "field \"filter\" names more than %d fields", FILTER_FIELDS_MAX);
    f->fields[f->fields_count++] = field;
    return true;
}

static bool check(struct filter *f, const struct assign_value *v, bool group, unsigned depth, struct err *err);

static bool check_member(struct filter *f, const struct assign_member *m, bool group, unsigned depth, struct err *err)
{
    struct str key = { m->key.p, m->key.n };
    bool is_operator = key.n && key.p[0] == '$';
    bool logical = str_eq_c(key, "$and") || str_eq_c(key, "$or") || str_eq_c(key, "$nor");
    if (is_operator && !logical && !known_operator(key))
        return err_set(err, ERR_INVALID, "field \"filter\": operator \"" STR_FMT "\" is not one of filters",
                       STR_ARG(str_cut(key, SHOWN_MAX)));
    if (group && !is_operator && !note_field(f, key, err))
        return false;
    for (uint32_t i = 0; logical && m->value.type == ASSIGN_ARRAY && i < m->value.count; i++)
        if (!check(f, &m->value.items[i], true, depth + 1, err))
            return false;
    if (m->value.type != ASSIGN_OBJECT)
        return !logical || m->value.type == ASSIGN_ARRAY ||
               err_set(err, ERR_INVALID, "field \"filter\": \"" STR_FMT "\" takes a list of conditions", STR_ARG(key));
    return check(f, &m->value, group && str_eq_c(key, "$not"), depth + 1, err);
}

/* `group`: its members are fields and logical operators; otherwise what is said of one field. */
static bool check(struct filter *f, const struct assign_value *v, bool group, unsigned depth, struct err *err)
{
    if (depth > DEPTH_MAX)
        return err_set(err, ERR_INVALID, "field \"filter\" is nested deeper than %d levels", DEPTH_MAX);
    if (v->type != ASSIGN_OBJECT)
        return err_set(err, ERR_INVALID, "field \"filter\": a condition is not an object");
    for (uint32_t i = 0; i < v->count; i++)
        if (!check_member(f, &v->members[i], group, depth, err))
            return false;
    return true;
}

bool filter_open(struct filter *f, const struct serving *s, const struct assign_value *condition, struct err *err)
{
    const struct serving_entry *e = serving_find(s, SERVING_CATALOGUE, (struct str){ NULL, 0 }, STR(SERVING_ALIAS),
                                                 err);
    if (!e)
        return err_prefix(err, "field \"filter\": ");
    *f = (struct filter){ .catalogue = e->served->view };
    if (!check(f, condition, true, 0, err))
        return false;
    arena_init(&f->compiled, SCRATCH_BYTES);
    arena_init(&f->scratch, SCRATCH_BYTES);
    struct assign_arena arena = { .more = arena_more, .owner = &f->compiled };
    struct assign_compiler c = { .arena = &arena };
    f->condition = assign_condition_compile(&c, condition);
    f->paths = c.paths.p;
    return true;
}

bool filter_keeps(void *arg, struct str item)
{
    struct filter *f = arg;
    struct assign_member members[FILTER_FIELDS_MAX];
    struct assign_value fields = { .type = ASSIGN_OBJECT, .members = members };
    char piece[PIECE_BYTES];
    struct assign_arena arena = { piece, piece + sizeof piece, arena_more, &f->scratch };
    struct assign_error e;
    struct lists_row row;
    if (f->asked == FILTER_ASKS_MAX)
        return false;
    f->asked++;
    arena_reset(&f->scratch);
    if (!catalogue_find(f->catalogue, item, &row))
        return f->fields_count == 0;
    for (uint32_t i = 0; i < f->fields_count; i++) {
        struct str json = catalogue_value(f->catalogue, &row, f->fields[i]), name = f->catalogue->names[f->fields[i]];
        struct assign_member *m = &members[fields.count];
        if (json.n && assign_json_read(json.p, json.n, &arena, &m->value, &e)) {
            m->key = (struct assign_text){ name.p, name.n };
            fields.count++;
        }
    }
    struct assign_scratch s = { .arena = &arena };
    const struct assign_subject subject = { .object = &fields, .paths = f->paths };
    return assign_condition_met(f->condition, &subject, &s) && !s.failed;
}

void filter_close(struct filter *f)
{
    arena_release(&f->compiled);
    arena_release(&f->scratch);
}
