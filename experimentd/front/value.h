/* value.h - values of libassign in the answers of the front doors. */
#pragma once
#include "assign/assign.h"
#include "base/buf.h"

/* As JSON. */
void value_write(struct buf *b, const struct assign_value *v);

static inline struct str value_text(const struct assign_value *v)
{
    return (struct str){ v->text.p, v->text.n };
}
