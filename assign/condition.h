/* condition.h - inside of libassign: conditions, compiled. A path of an attribute is numbered when it is compiled, so that a session looks it
 * up once however many conditions name it; a condition that is there twice is compiled, and on one unit evaluated, once. */
#pragma once
#include "assign/scratch.h"

struct assign_condition;

/* A dotted path, cut into its parts. */
struct assign_path {
    struct assign_text text, *parts;
    uint32_t count;
};
struct assign_paths {
    struct assign_path *p;
    uint32_t n, room;
};

struct assign_compiler {
    struct assign_arena *arena;
    const struct assign_value *groups; /* savedGroups, or NULL */
    struct assign_paths paths;
    struct assign_seen *seen; /* what was compiled already */
    uint32_t seen_n, seen_room;
    uint32_t conditions; /* numbered so far: memos of a session */
    unsigned depth;
    bool failed; /* the arena gave no more */
};

/* Never NULL unless the compiler has failed. */
const struct assign_condition *assign_condition_compile(struct assign_compiler *c, const struct assign_value *json);

/* What a condition is asked about: an object, and, when it is the unit's attributes, what was looked up and found out about them. */
struct assign_subject {
    const struct assign_value *object;
    const struct assign_value **found; /* by path; NULL: not looked up yet */
    uint8_t *memo;                     /* by condition: 0 not known, 1 false, 2 true */
    const struct assign_path *paths;
};
bool assign_condition_met(const struct assign_condition *c, const struct assign_subject *subject,
                          struct assign_scratch *s);
