/* Compiling conditions. What would make the SDK throw becomes a clause that is never met: a rule that cannot be understood applies to
 * nobody. */
#include "assign/condition.h"

#include "assign/arena.h"
#include "assign/condition_parts.h"
#include "assign/limits.h"
#include "assign/text.h"
#include "assign/value.h"
#include "assign/version.h"

enum { FEW_ITEMS = 8, FIRST_ROOM = 16 };

struct assign_seen {
    uint32_t hash;
    const struct assign_value *json;
    const struct assign_condition *condition;
};

static const struct {
    struct assign_text name;
    enum op_code code;
} ops[] = {
#define OP(text, code)                   \
    {                                    \
        { text, sizeof(text) - 1 }, code \
    }
    OP("$eq", OP_EQ),
    OP("$ne", OP_NE),
    OP("$lt", OP_LT),
    OP("$lte", OP_LTE),
    OP("$gt", OP_GT),
    OP("$gte", OP_GTE),
    OP("$veq", OP_VEQ),
    OP("$vne", OP_VNE),
    OP("$vlt", OP_VLT),
    OP("$vlte", OP_VLTE),
    OP("$vgt", OP_VGT),
    OP("$vgte", OP_VGTE),
    OP("$exists", OP_EXISTS),
    OP("$in", OP_IN),
    OP("$nin", OP_NIN),
    OP("$ini", OP_INI),
    OP("$nini", OP_NINI),
    OP("$inGroup", OP_IN_GROUP),
    OP("$notInGroup", OP_NOT_IN_GROUP),
    OP("$all", OP_ALL),
    OP("$alli", OP_ALLI),
    OP("$elemMatch", OP_ELEM_MATCH),
    OP("$size", OP_SIZE),
    OP("$not", OP_NOT),
    OP("$regex", OP_REGEX),
    OP("$regexi", OP_REGEXI),
    OP("$type", OP_TYPE),
#undef OP
};

static void *take(struct assign_compiler *c, size_t count, size_t size)
{
    void *p = c->failed ? NULL : assign_alloc_array(c->arena, count ? count : 1, size);
    if (!p) {
        c->failed = true;
        return NULL;
    }
    return memset(p, 0, count * size);
}

/* ---- paths ---- */

static bool cut_path(struct assign_compiler *c, struct assign_text text, struct assign_path *out)
{
    uint32_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '.';
    *out = (struct assign_path){ .text = text, .parts = take(c, n, sizeof *out->parts) };
    if (!out->parts)
        return false;
    for (size_t from = 0, to; from <= text.n; from = to + 1) {
        for (to = from; to < text.n && text.p[to] != '.';)
            to++;
        out->parts[out->count++] = (struct assign_text){ text.p + from, to - from };
    }
    return true;
}

static uint32_t path_number(struct assign_compiler *c, struct assign_text text)
{
    struct assign_paths *paths = &c->paths;
    for (uint32_t i = 0; i < paths->n; i++)
        if (assign_text_equal(paths->p[i].text, text))
            return i;
    if (paths->n == paths->room) {
        uint32_t room = paths->room ? paths->room * 2 : FIRST_ROOM;
        struct assign_path *wider = take(c, room, sizeof *wider);
        if (!wider)
            return 0;
        if (paths->n)
            memcpy(wider, paths->p, paths->n * sizeof *wider);
        paths->p = wider;
        paths->room = room;
    }
    if (!cut_path(c, text, &paths->p[paths->n]))
        return 0;
    return paths->n++;
}

/* ---- lists ---- */

static void index_set(struct assign_compiler *c, struct value_set *set)
{
    uint32_t mask = FIRST_ROOM;
    while (mask < set->count * 2)
        mask *= 2;
    uint32_t *table = take(c, mask, sizeof *table);
    if (!table)
        return;
    memset(table, 0xFF, mask * sizeof *table);
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i].type != ASSIGN_STRING)
            continue;
        uint32_t at = assign_text_hash(set->items[i].text);
        while (table[at & (mask - 1)] != UINT32_MAX)
            at++;
        table[at & (mask - 1)] = i;
    }
    set->table = table;
    set->mask = mask - 1;
}

static void add_tags(struct assign_compiler *c, struct value_set *set)
{
    uint64_t *tags = take(c, set->count, sizeof *tags);
    for (uint32_t i = 0; tags && i < set->count; i++)
        tags[i] = assign_text_tag(set->items[i].text);
    set->tags = tags;
}

static const struct value_set *make_set(struct assign_compiler *c, const struct assign_value *list)
{
    struct value_set *set = take(c, 1, sizeof *set);
    if (!set)
        return NULL;
    set->only_texts = true;
    set->items = list ? list->items : NULL;
    set->count = list ? list->count : 0;
    for (uint32_t i = 0; i < set->count; i++)
        set->only_texts = set->only_texts && set->items[i].type == ASSIGN_STRING;
    if (set->count > FEW_ITEMS)
        index_set(c, set);
    else if (set->only_texts)
        add_tags(c, set);
    return set;
}

/* The list with its texts in lower case. */
static const struct value_set *make_folded_set(struct assign_compiler *c, const struct assign_value *list)
{
    struct assign_value *items = take(c, list->count, sizeof *items);
    for (uint32_t i = 0; items && i < list->count; i++) {
        items[i] = list->items[i];
        if (items[i].type == ASSIGN_STRING && !assign_text_lower(list->items[i].text, c->arena, &items[i].text))
            c->failed = true;
    }
    struct assign_value folded = { .type = ASSIGN_ARRAY, .count = list->count, .items = items };
    return make_set(c, &folded);
}

/* Values of a saved group for $inGroup: none for one that is unknown; NULL for what is no list of values. */
static const struct value_set *group_set(struct assign_compiler *c, const struct assign_value *id, bool *broken)
{
    struct assign_text name;
    *broken = false;
    if (!assign_to_text(id, c->arena, &name)) {
        c->failed = true;
        return NULL;
    }
    const struct assign_value *entry = assign_member(c->groups, name.p, name.n);
    if (!entry)
        return make_set(c, NULL);
    if (entry->type == ASSIGN_OBJECT && assign_text_equal(assign_member_text(entry, "type"), ASSIGN_TEXT("list")))
        entry = assign_member_c(entry, "values");
    *broken = !entry || entry->type != ASSIGN_ARRAY;
    return *broken ? NULL : make_set(c, entry);
}

/* ---- one value ---- */

static bool all_operators(const struct assign_value *v)
{
    for (uint32_t i = 0; i < v->count; i++)
        if (v->members[i].key.n == 0 || v->members[i].key.p[0] != '$')
            return false;
    return v->count > 0;
}

static const struct value_test *compile_test(struct assign_compiler *c, const struct assign_value *v, bool fold);

static enum op_code code_of(struct assign_text name)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (assign_text_equal(ops[i].name, name))
            return ops[i].code;
    return OP_UNKNOWN;
}

static void compile_list_op(struct assign_compiler *c, struct op *op)
{
    const struct assign_value *v = op->expected;
    bool fold = op->code == OP_INI || op->code == OP_NINI;
    op->broken = v->type != ASSIGN_ARRAY;
    if (!op->broken)
        op->set = fold ? make_folded_set(c, v) : make_set(c, v);
}

static void compile_all(struct assign_compiler *c, struct op *op)
{
    op->broken = op->expected->type != ASSIGN_ARRAY;
    if (op->broken)
        return;
    const struct value_test **tests = take(c, op->expected->count, sizeof(void *));
    for (uint32_t i = 0; tests && i < op->expected->count; i++)
        tests[i] = compile_test(c, &op->expected->items[i], op->code == OP_ALLI);
    op->tests = tests;
}

static void compile_elem_match(struct assign_compiler *c, struct op *op)
{
    op->broken = op->expected->type != ASSIGN_OBJECT;
    if (op->broken)
        return;
    if (all_operators(op->expected))
        op->test = compile_test(c, op->expected, false);
    else
        op->condition = assign_condition_compile(c, op->expected);
}

static void compile_regex(struct assign_compiler *c, struct op *op)
{
    if (op->expected->type == ASSIGN_STRING)
        op->regex = assign_regex_compile(op->expected->text, op->code == OP_REGEXI, c->arena);
    op->broken = !op->regex;
}

static void compile_op(struct assign_compiler *c, struct assign_text name, const struct assign_value *v, struct op *op)
{
    op->code = code_of(name);
    op->expected = v;
    if (op->code >= OP_VEQ && op->code <= OP_VGTE)
        c->failed = c->failed || !assign_version_padded(v, c->arena, &op->version);
    else if (op->code >= OP_IN && op->code <= OP_NINI)
        compile_list_op(c, op);
    else if (op->code == OP_IN_GROUP || op->code == OP_NOT_IN_GROUP)
        op->set = group_set(c, v, &op->broken);
    else if (op->code == OP_ALL || op->code == OP_ALLI)
        compile_all(c, op);
    else if (op->code == OP_ELEM_MATCH)
        compile_elem_match(c, op);
    else if (op->code == OP_SIZE || op->code == OP_NOT)
        op->test = compile_test(c, v, false);
    else if (op->code == OP_REGEX || op->code == OP_REGEXI)
        compile_regex(c, op);
    else
        op->broken = op->code == OP_UNKNOWN;
}

static void compile_ops(struct assign_compiler *c, const struct assign_value *v, struct value_test *t)
{
    t->kind = TEST_OPS;
    t->count = v->count;
    t->ops = take(c, v->count, sizeof *t->ops);
    for (uint32_t i = 0; t->ops && i < v->count; i++)
        compile_op(c, v->members[i].key, &v->members[i].value, &t->ops[i]);
}

static const struct value_test *compile_test(struct assign_compiler *c, const struct assign_value *v, bool fold)
{
    static const enum test_kind kinds[] = {
        [ASSIGN_MISSING] = TEST_NULL,  [ASSIGN_NULL] = TEST_NULL,   [ASSIGN_BOOL] = TEST_BOOL,
        [ASSIGN_NUMBER] = TEST_NUMBER, [ASSIGN_STRING] = TEST_TEXT, [ASSIGN_ARRAY] = TEST_JSON,
        [ASSIGN_OBJECT] = TEST_JSON,
    };
    struct value_test *t = take(c, 1, sizeof *t);
    if (!t)
        return NULL;
    t->kind = kinds[v->type];
    t->expected = v;
    if (v->type == ASSIGN_STRING && fold) {
        t->kind = TEST_TEXT_FOLDED;
        c->failed = c->failed || !assign_text_lower(v->text, c->arena, &t->folded);
    } else if (v->type == ASSIGN_OBJECT && all_operators(v)) {
        compile_ops(c, v, t);
    }
    return t;
}

/* ---- groups of conditions ---- */

/* $or, $nor, $and: a list of conditions. Of what is no list, the SDK asks the length: none makes $or true. */
static void compile_list(struct assign_compiler *c, const struct assign_value *v, struct clause *out)
{
    if (v->type <= ASSIGN_NULL) {
        out->kind = CLAUSE_NEVER;
        return;
    }
    out->count = v->type == ASSIGN_ARRAY ? v->count : 0;
    const struct assign_condition **list = take(c, out->count, sizeof(void *));
    for (uint32_t i = 0; list && i < out->count; i++)
        list[i] = assign_condition_compile(c, &v->items[i]);
    out->list = list;
}

static void compile_not(struct assign_compiler *c, const struct assign_value *v, struct clause *out)
{
    const struct assign_condition **list = take(c, 1, sizeof(void *));
    out->kind = v->type <= ASSIGN_NULL ? CLAUSE_NEVER : CLAUSE_NOT;
    if (list && out->kind == CLAUSE_NOT)
        list[0] = assign_condition_compile(c, v);
    out->list = list;
    out->count = 1;
}

/* {"id", "attributeKey"?}: a group of values, or a condition that has a name. Anything else matches nobody. */
static void compile_group(struct assign_compiler *c, const struct assign_value *v, struct clause *out)
{
    struct assign_text id = assign_member_text(v, "id"), key = assign_member_text(v, "attributeKey");
    const struct assign_value *given = assign_member_c(v, "attributeKey"),
                              *entry = assign_member(c->groups, id.p, id.n);
    out->kind = CLAUSE_NEVER;
    if (!id.p || (given && !key.p) || !entry || entry->type != ASSIGN_OBJECT)
        return;
    if (assign_text_equal(assign_member_text(entry, "type"), ASSIGN_TEXT("list"))) {
        const struct assign_value *values = assign_member_c(entry, "values");
        key = key.p ? key : assign_member_text(entry, "attributeKey");
        if (!key.p || !values || values->type != ASSIGN_ARRAY)
            return;
        out->kind = CLAUSE_LIST;
        out->path = path_number(c, key);
        out->set = make_set(c, values);
    } else if (assign_text_equal(assign_member_text(entry, "type"), ASSIGN_TEXT("condition"))) {
        const struct assign_value *condition = assign_member_c(entry, "condition");
        const struct assign_condition **list = take(c, 1, sizeof(void *));
        if (!list || !condition || condition->type != ASSIGN_OBJECT)
            return;
        out->kind = CLAUSE_AND;
        list[0] = assign_condition_compile(c, condition);
        out->list = list;
        out->count = 1;
    }
}

/* Most tests are of one operator: they need no loop over operators, which costs as much as the operator. */
static void compile_path(struct assign_compiler *c, struct assign_text key, const struct assign_value *v,
                         struct clause *out)
{
    out->kind = CLAUSE_PATH;
    out->path = path_number(c, key);
    out->test = compile_test(c, v, false);
    if (!out->test || out->test->kind != TEST_OPS || out->test->count != 1 || !out->test->ops)
        return;
    out->op = out->test->ops;
    out->set = out->op->set;
    if (out->op->broken)
        out->kind = CLAUSE_NEVER;
    else
        out->kind = out->op->code == OP_IN || out->op->code == OP_IN_GROUP ? CLAUSE_LIST : CLAUSE_OP;
}

static void compile_clause(struct assign_compiler *c, struct assign_text key, const struct assign_value *v,
                           struct clause *out)
{
    static const struct {
        struct assign_text name;
        enum clause_kind kind;
    } lists[] = { { { "$or", 3 }, CLAUSE_OR }, { { "$nor", 4 }, CLAUSE_NOR }, { { "$and", 4 }, CLAUSE_AND } };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (!assign_text_equal(key, lists[i].name))
            continue;
        out->kind = lists[i].kind;
        compile_list(c, v, out);
        return;
    }
    if (assign_text_equal(key, ASSIGN_TEXT("$not"))) {
        compile_not(c, v, out);
    } else if (assign_text_equal(key, ASSIGN_TEXT("$savedGroup"))) {
        compile_group(c, v, out);
    } else {
        compile_path(c, key, v, out);
    }
}

static const struct assign_condition *compile(struct assign_compiler *c, const struct assign_value *json)
{
    struct assign_condition *out = take(c, 1, sizeof *out);
    bool too_much = c->depth >= ASSIGN_GROUP_DEPTH_MAX || c->conditions >= ASSIGN_CONDITIONS_MAX;
    bool object = json->type == ASSIGN_OBJECT && !too_much, never = json->type <= ASSIGN_NULL || too_much;
    if (!out)
        return NULL;
    out->number = c->conditions++;
    out->count = object ? json->count : never;
    out->clauses = take(c, out->count, sizeof *out->clauses); /* NEVER is 0 */
    c->depth++;
    for (uint32_t i = 0; object && out->clauses && i < json->count; i++)
        compile_clause(c, json->members[i].key, &json->members[i].value, &out->clauses[i]);
    c->depth--;
    return out;
}

static uint32_t json_hash(const struct assign_value *json, struct assign_compiler *c)
{
    struct assign_text text;
    if (!assign_to_key(json, c->arena, &text)) {
        c->failed = true;
        return 0;
    }
    return assign_text_hash(text);
}

static void remember(struct assign_compiler *c, struct assign_seen s)
{
    if (c->seen_n == c->seen_room) {
        uint32_t room = c->seen_room ? c->seen_room * 2 : FIRST_ROOM;
        struct assign_seen *wider = take(c, room, sizeof *wider);
        if (!wider)
            return;
        if (c->seen_n)
            memcpy(wider, c->seen, c->seen_n * sizeof *wider);
        c->seen = wider;
        c->seen_room = room;
    }
    c->seen[c->seen_n++] = s;
}

const struct assign_condition *assign_condition_compile(struct assign_compiler *c, const struct assign_value *json)
{
    uint32_t hash = c->depth ? 0 : json_hash(json, c);
    for (uint32_t i = 0; !c->depth && i < c->seen_n; i++)
        if (c->seen[i].hash == hash && assign_same_json(c->seen[i].json, json))
            return c->seen[i].condition;
    const struct assign_condition *out = compile(c, json);
    if (out && !c->depth)
        remember(c, (struct assign_seen){ hash, json, out });
    return c->failed ? NULL : out;
}
