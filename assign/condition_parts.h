/* condition_parts.h - inside of libassign: the compiled form of conditions, between condition.c (compiles) and met.c (evaluates). */
#pragma once
#include "assign/condition.h"
#include "assign/regex.h"

enum clause_kind {
    CLAUSE_NEVER, /* what the SDK would throw at, or could not know */
    CLAUSE_OR,
    CLAUSE_NOR,
    CLAUSE_AND,
    CLAUSE_NOT,
    CLAUSE_LIST, /* one of a list: $savedGroup of values, or a lone $in */
    CLAUSE_OP,   /* a lone operator */
    CLAUSE_PATH
};

/* A list to look in. Texts of a long one are found by their hash; `table` holds indexes, open addressing, NULL for a short one. */
struct value_set {
    const struct assign_value *items;
    uint32_t count, mask;
    const uint32_t *table;
    const uint64_t *tags; /* of the texts of a short one, when nothing else is in it */
    bool only_texts;      /* nothing else is in it */
};

struct op;
struct value_test;
struct clause {
    enum clause_kind kind;
    uint32_t path, count;
    const struct assign_condition *const *list; /* OR, NOR, AND, NOT */
    const struct value_set *set;
    const struct op *op;
    const struct value_test *test;
};
struct assign_condition {
    uint32_t count, number;
    struct clause *clauses;
};

enum op_code {
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LTE,
    OP_GT,
    OP_GTE,
    OP_VEQ,
    OP_VNE,
    OP_VLT,
    OP_VLTE,
    OP_VGT,
    OP_VGTE,
    OP_EXISTS,
    OP_IN,
    OP_NIN,
    OP_INI,
    OP_NINI,
    OP_IN_GROUP,
    OP_NOT_IN_GROUP,
    OP_ALL,
    OP_ALLI,
    OP_ELEM_MATCH,
    OP_SIZE,
    OP_NOT,
    OP_REGEX,
    OP_REGEXI,
    OP_TYPE,
    OP_COUNT,
    OP_UNKNOWN = OP_COUNT
};

struct op {
    enum op_code code;
    bool broken; /* what it is given makes no sense: never met */
    const struct assign_value *expected;
    const struct value_set *set;
    const struct value_test *test;            /* NOT, SIZE, ELEM_MATCH of operators */
    const struct value_test *const *tests;    /* ALL: one an element */
    const struct assign_condition *condition; /* ELEM_MATCH */
    const struct assign_regex *regex;
    struct assign_text version;
};

enum test_kind { TEST_TEXT, TEST_TEXT_FOLDED, TEST_NUMBER, TEST_BOOL, TEST_NULL, TEST_JSON, TEST_OPS };
struct value_test {
    enum test_kind kind;
    uint32_t count; /* of ops */
    const struct assign_value *expected;
    struct assign_text folded;
    struct op *ops;
};

bool assign_set_has(const struct value_set *set, const struct assign_value *v);
