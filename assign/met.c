/* Evaluating compiled conditions, as the SDK's mongrule does. */
#include <math.h>

#include "assign/arena.h"
#include "assign/condition_parts.h"
#include "assign/text.h"
#include "assign/value.h"
#include "assign/version.h"

static bool test_met(const struct value_test *t, const struct assign_value *v, struct assign_scratch *s);

static bool failed(struct assign_scratch *s)
{
    s->failed = true;
    return false;
}

/* ---- paths ---- */

/* "0" of a list is its first element, "length" its length. */
static const struct assign_value *list_part(const struct assign_value *list, struct assign_text part,
                                            struct assign_scratch *s)
{
    uint32_t index = 0;
    if (assign_text_equal(part, ASSIGN_TEXT("length"))) {
        struct assign_value *n = assign_alloc(s->arena, sizeof *n);
        if (!n) {
            (void)failed(s);
            return NULL;
        }
        *n = (struct assign_value){ .type = ASSIGN_NUMBER, .number = list->count };
        return n;
    }
    if (part.n == 0 || part.n > 9 || (part.p[0] == '0' && part.n > 1))
        return NULL;
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] < '0' || part.p[i] > '9')
            return NULL;
        index = index * 10 + (uint32_t)(part.p[i] - '0');
    }
    return index < list->count ? &list->items[index] : NULL;
}

static const struct assign_value *walk(const struct assign_value *v, const struct assign_path *path,
                                       struct assign_scratch *s)
{
    for (uint32_t i = 0; v && i < path->count; i++)
        v = v->type == ASSIGN_ARRAY ? list_part(v, path->parts[i], s)
                                    : assign_member(v, path->parts[i].p, path->parts[i].n);
    return v ? v : &assign_null;
}

static const struct assign_value *look_up(const struct assign_subject *subject, uint32_t path, struct assign_scratch *s)
{
    const struct assign_value *v = subject->found ? subject->found[path] : NULL;
    if (v)
        return v;
    const struct assign_path *steps = &subject->paths[path];
    v = steps->count == 1 ? assign_member(subject->object, steps->text.p, steps->text.n) : NULL;
    if (!v)
        v = walk(subject->object, steps, s);
    if (subject->found)
        subject->found[path] = v;
    return v;
}

/* ---- lists ---- */

/* All of the few are compared: which one it is, if any, no processor can guess. */
static inline bool has_tag(const struct value_set *set, struct assign_text text)
{
    uint64_t tag = assign_text_tag(text);
    bool any = false;
    for (uint32_t i = 0; i < set->count; i++)
        any |= set->tags[i] == tag;
    if (!any || text.n <= ASSIGN_TAG_EXACT_MAX)
        return any;
    for (uint32_t i = 0; i < set->count; i++)
        if (assign_text_equal(set->items[i].text, text))
            return true;
    return false;
}

static bool has_text(const struct value_set *set, struct assign_text text)
{
    for (uint32_t at = assign_text_hash(text);; at++) {
        uint32_t i = set->table[at & set->mask];
        if (i == UINT32_MAX)
            return false;
        if (assign_text_equal(set->items[i].text, text))
            return true;
    }
}

bool assign_set_has(const struct value_set *set, const struct assign_value *v)
{
    if (v->type == ASSIGN_STRING && (set->tags || set->table))
        return set->tags ? has_tag(set, v->text) : has_text(set, v->text);
    if (v->type != ASSIGN_STRING && set->only_texts)
        return false;
    for (uint32_t i = 0; i < set->count; i++)
        if (assign_strict_equal(&set->items[i], v))
            return true;
    return false;
}

static bool has_folded(const struct value_set *set, const struct assign_value *v, struct assign_scratch *s)
{
    struct assign_value folded = *v;
    if (v->type == ASSIGN_STRING && !assign_text_lower(v->text, s->arena, &folded.text))
        return failed(s);
    return assign_set_has(set, &folded);
}

/* Of a list of values, one is enough. */
static bool is_in(const struct value_set *set, const struct assign_value *v, bool fold, struct assign_scratch *s)
{
    if (v->type != ASSIGN_ARRAY)
        return fold ? has_folded(set, v, s) : assign_set_has(set, v);
    for (uint32_t i = 0; i < v->count; i++)
        if (fold ? has_folded(set, &v->items[i], s) : assign_set_has(set, &v->items[i]))
            return true;
    return false;
}

static bool has_all(const struct op *op, const struct assign_value *v, struct assign_scratch *s)
{
    if (v->type != ASSIGN_ARRAY)
        return false;
    for (uint32_t i = 0; i < op->expected->count; i++) {
        bool met = false;
        for (uint32_t k = 0; k < v->count && !met; k++)
            met = test_met(op->tests[i], &v->items[k], s);
        if (!met)
            return false;
    }
    return true;
}

static bool elem_matches(const struct op *op, const struct assign_value *v, const struct assign_path *paths,
                         struct assign_scratch *s)
{
    if (v->type != ASSIGN_ARRAY)
        return false;
    for (uint32_t i = 0; i < v->count; i++) {
        struct assign_subject element = { .object = &v->items[i], .paths = paths };
        if (v->items[i].type <= ASSIGN_NULL)
            continue;
        if (op->test ? test_met(op->test, &v->items[i], s) : assign_condition_met(op->condition, &element, s))
            return true;
    }
    return false;
}

/* ---- operators ---- */

static bool numbers_related(enum op_code code, double a, double b)
{
    switch (code) {
    case OP_LT:
        return a < b;
    case OP_LTE:
        return a <= b;
    case OP_GT:
        return a > b;
    default:
        return a >= b;
    }
}

static bool related(const struct op *op, const struct assign_value *v, struct assign_scratch *s)
{
    int order;
    if (v->type == ASSIGN_NUMBER && op->expected->type == ASSIGN_NUMBER)
        return numbers_related(op->code, v->number, op->expected->number);
    if (!assign_relate(v, op->expected, s->arena, &order))
        return failed(s);
    switch (op->code) {
    case OP_LT:
        return order == -1;
    case OP_LTE:
        return order == -1 || order == 0;
    case OP_GT:
        return order == 1;
    default:
        return order == 1 || order == 0;
    }
}

static bool version_related(const struct op *op, const struct assign_value *v, struct assign_scratch *s)
{
    struct assign_text text;
    if (!assign_version_padded(v, s->arena, &text))
        return failed(s);
    int order = assign_text_compare(text, op->version);
    switch (op->code) {
    case OP_VEQ:
        return order == 0;
    case OP_VNE:
        return order != 0;
    case OP_VLT:
        return order < 0;
    case OP_VLTE:
        return order <= 0;
    case OP_VGT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool matches(const struct op *op, const struct assign_value *v, struct assign_scratch *s)
{
    struct assign_text text;
    if (!assign_to_text(v, s->arena, &text))
        return failed(s);
    return assign_regex_match(op->regex, text, s);
}

static bool is_type(const struct assign_value *v, const struct assign_value *expected)
{
    static const char *const names[] = {
        [ASSIGN_MISSING] = "undefined", [ASSIGN_NULL] = "null",     [ASSIGN_BOOL] = "boolean",
        [ASSIGN_NUMBER] = "number",     [ASSIGN_STRING] = "string", [ASSIGN_ARRAY] = "array",
        [ASSIGN_OBJECT] = "object",
    };
    struct assign_text name = { names[v->type], strlen(names[v->type]) };
    return expected->type == ASSIGN_STRING && assign_text_equal(expected->text, name);
}

static bool size_met(const struct op *op, const struct assign_value *v, struct assign_scratch *s)
{
    struct assign_value n = { .type = ASSIGN_NUMBER, .number = v->count };
    return v->type == ASSIGN_ARRAY && test_met(op->test, &n, s);
}

static bool op_met(const struct op *op, const struct assign_value *v, struct assign_scratch *s)
{
    if (op->broken)
        return false;
    switch (op->code) {
    case OP_EQ:
        return assign_strict_equal(v, op->expected);
    case OP_NE:
        return !assign_strict_equal(v, op->expected);
    case OP_LT:
    case OP_LTE:
    case OP_GT:
    case OP_GTE:
        return related(op, v, s);
    case OP_VEQ:
    case OP_VNE:
    case OP_VLT:
    case OP_VLTE:
    case OP_VGT:
    case OP_VGTE:
        return version_related(op, v, s);
    case OP_EXISTS:
        return assign_truthy(op->expected) == (v->type > ASSIGN_NULL);
    case OP_IN:
    case OP_IN_GROUP:
        return is_in(op->set, v, false, s);
    case OP_NIN:
    case OP_NOT_IN_GROUP:
        return !is_in(op->set, v, false, s);
    case OP_INI:
        return is_in(op->set, v, true, s);
    case OP_NINI:
        return !is_in(op->set, v, true, s);
    case OP_ALL:
    case OP_ALLI:
        return has_all(op, v, s);
    case OP_ELEM_MATCH:
        return elem_matches(op, v, s->paths, s);
    case OP_SIZE:
        return size_met(op, v, s);
    case OP_NOT:
        return !test_met(op->test, v, s);
    case OP_REGEX:
    case OP_REGEXI:
        return matches(op, v, s);
    case OP_TYPE:
        return is_type(v, op->expected);
    case OP_COUNT:
        break;
    }
    return false;
}

/* ---- one value ---- */

static bool text_met(const struct value_test *t, const struct assign_value *v, struct assign_scratch *s)
{
    struct assign_text text;
    if (!assign_to_text(v, s->arena, &text))
        return failed(s);
    if (t->kind == TEST_TEXT)
        return assign_text_equal(text, t->expected->text);
    return assign_text_lower(text, s->arena, &text) ? assign_text_equal(text, t->folded) : failed(s);
}

static bool number_met(const struct value_test *t, const struct assign_value *v, struct assign_scratch *s)
{
    double n;
    return assign_to_number(v, s->arena, &n) ? n == t->expected->number : failed(s);
}

static bool test_met(const struct value_test *t, const struct assign_value *v, struct assign_scratch *s)
{
    switch (t->kind) {
    case TEST_TEXT:
    case TEST_TEXT_FOLDED:
        return text_met(t, v, s);
    case TEST_NUMBER:
        return number_met(t, v, s);
    case TEST_BOOL:
        return v->type != ASSIGN_NULL && assign_truthy(v) == t->expected->boolean;
    case TEST_NULL:
        return v->type <= ASSIGN_NULL;
    case TEST_JSON:
        return assign_same_json(v, t->expected);
    case TEST_OPS:
        break;
    }
    for (uint32_t i = 0; i < t->count; i++)
        if (!op_met(&t->ops[i], v, s))
            return false;
    return true;
}

/* ---- conditions ---- */

static bool any_met(const struct clause *c, const struct assign_subject *subject, struct assign_scratch *s)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (assign_condition_met(c->list[i], subject, s))
            return true;
    return c->count == 0;
}

static bool all_met(const struct clause *c, const struct assign_subject *subject, struct assign_scratch *s)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (!assign_condition_met(c->list[i], subject, s))
            return false;
    return true;
}

static bool clause_met(const struct clause *c, const struct assign_subject *subject, struct assign_scratch *s)
{
    const struct assign_value *v;
    switch (c->kind) {
    case CLAUSE_NEVER:
        return false;
    case CLAUSE_OR:
        return any_met(c, subject, s);
    case CLAUSE_NOR:
        return !any_met(c, subject, s);
    case CLAUSE_AND:
        return all_met(c, subject, s);
    case CLAUSE_NOT:
        return !assign_condition_met(c->list[0], subject, s);
    case CLAUSE_LIST:
        v = look_up(subject, c->path, s);
        return v->type == ASSIGN_STRING && c->set->tags ? has_tag(c->set, v->text) : is_in(c->set, v, false, s);
    case CLAUSE_OP:
        return op_met(c->op, look_up(subject, c->path, s), s);
    case CLAUSE_PATH:
        return test_met(c->test, look_up(subject, c->path, s), s);
    }
    return false;
}

static bool evaluate(const struct assign_condition *c, const struct assign_subject *subject, struct assign_scratch *s)
{
    s->paths = subject->paths;
    for (uint32_t i = 0; i < c->count; i++)
        if (!clause_met(&c->clauses[i], subject, s))
            return false;
    return true;
}

bool assign_condition_met(const struct assign_condition *c, const struct assign_subject *subject,
                          struct assign_scratch *s)
{
    if (!subject->memo)
        return evaluate(c, subject, s);
    if (!subject->memo[c->number])
        subject->memo[c->number] = evaluate(c, subject, s) ? 2 : 1;
    return subject->memo[c->number] == 2;
}

bool assign_condition(const struct assign_value *condition, const struct assign_value *attributes,
                      const struct assign_value *saved_groups, struct assign_arena *arena)
{
    struct assign_compiler c = { .arena = arena, .groups = saved_groups };
    const struct assign_condition *compiled = assign_condition_compile(&c, condition);
    struct assign_scratch s = { .arena = arena };
    struct assign_subject subject = { .object = attributes, .paths = c.paths.p };
    return compiled && assign_condition_met(compiled, &subject, &s) && !s.failed;
}
