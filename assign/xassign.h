/* xassign.h - inside of the program xassign: a line's memory, and values being built. */
#pragma once
#include "assign/arena.h"

enum { X_MEMBERS_MAX = 32 };

struct x {
    struct assign_heap heap;              /* freed after the line */
    struct assign_error e;                /* why the line is refused */
    struct assign_payload *made;          /* of the line, freed after it */
    const struct assign_payload *payload; /* of "eval" */
};

/* An object being built; MISSING members are left out. */
struct x_object {
    struct assign_member *members;
    uint32_t n;
};
void x_open(struct x *x, struct x_object *o);
void x_put(struct x_object *o, const char *key, struct assign_value v);
struct assign_value x_close(const struct x_object *o);

struct assign_value *x_list(struct x *x, uint32_t room);
struct assign_value x_items(struct assign_value *items, uint32_t n);
struct assign_value x_text(struct assign_text t);
struct assign_value x_bool(bool b);
struct assign_value x_number(double n);
bool x_refuse(struct x *x, const char *why); /* false */

/* main_sections.c: sections that evaluate a payload; false: refused. */
bool x_feature_section(struct x *x, const struct assign_value *in, struct assign_value *out);
bool x_run_section(struct x *x, const struct assign_value *in, struct assign_value *out);
bool x_sticky_section(struct x *x, const struct assign_value *in, struct assign_value *out);
bool x_redirect_section(struct x *x, const struct assign_value *in, struct assign_value *out);
bool x_eval_unit(struct x *x, const struct assign_value *in, struct assign_value *out);
