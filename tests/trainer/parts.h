/* parts.h - what a day's records are written to by tests: a data set in parts. */
#pragma once
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/buf.h"

enum { PARTS = 4 };
struct parts {
    struct buf of[PARTS];
};

static inline void parts_init(struct parts *p)
{
    for (int i = 0; i < PARTS; i++)
        buf_init(&p->of[i], 4 << 20);
}

static inline void parts_release(struct parts *p)
{
    for (int i = 0; i < PARTS; i++)
        buf_release(&p->of[i]);
}

static inline bool parts_keep(void *arg, uint32_t part, struct str record, struct err *err)
{
    struct parts *p = arg;
    (void)err;
    cr_assert(lt(u32, part, PARTS));
    buf_add_str(&p->of[part], record);
    return true;
}
