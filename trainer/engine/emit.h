/* emit.h - a split's data set sent as EMIT frames, when coordinator and worker share no disk. */
#pragma once
#include "base/buf.h"

struct emit_part {
    struct buf block;
    uint32_t seq;
};
struct emit {
    struct emit_part *parts; /* NULL: nothing is to be sent */
    uint32_t parts_count;
    size_t block_bytes;
};
bool emit_open(struct emit *e, uint32_t parts, struct err *err) MUSTCHECK;
/* ERR_CONFLICT: the coordinator has gone. */
bool emit_write(struct emit *e, uint32_t part, struct str record, struct err *err) MUSTCHECK;
bool emit_end(struct emit *e, struct err *err) MUSTCHECK;
void emit_release(struct emit *e);
