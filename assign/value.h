/* value.h - inside of libassign: JavaScript's ways of comparing and converting values. A NULL pointer is undefined. */
#pragma once
#include "assign/assign.h"

extern const struct assign_value assign_null;

/* JSON.stringify(a) === JSON.stringify(b): the order of keys counts. */
bool assign_same_json(const struct assign_value *a, const struct assign_value *b);
/* a === b; lists and objects are never the same. */
bool assign_strict_equal(const struct assign_value *a, const struct assign_value *b);
/* String(v); false: the arena gave no more. */
bool assign_to_text(const struct assign_value *v, struct assign_arena *a, struct assign_text *out);
/* JSON.stringify(v) in the arena, a string as it is: how sticky buckets name values. */
bool assign_to_key(const struct assign_value *v, struct assign_arena *a, struct assign_text *out);
/* Number(text), and Number(v) (lists by their text). */
double assign_text_number(struct assign_text t);
bool assign_to_number(const struct assign_value *v, struct assign_arena *a, double *out);
/* a < b, as JavaScript: *out is -1, 0, 1, or 2 when they have no order. */
bool assign_relate(const struct assign_value *a, const struct assign_value *b, struct assign_arena *arena, int *out);
/* A member's text, number, or truth, with a default for what is of another type. */
struct assign_text assign_member_text(const struct assign_value *object, const char *key);
bool assign_member_truthy(const struct assign_value *object, const char *key);
const struct assign_value *assign_member_c(const struct assign_value *object, const char *key); /* NULL: absent */
