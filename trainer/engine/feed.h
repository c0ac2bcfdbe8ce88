/* feed.h - the inputs of a task that come over the pipe: chunks in any order, kept in a file without a name, served by (input, seq). */
#pragma once
#include "base/buf.h"

struct feed_chunk {
    uint32_t input, seq, bytes;
    uint64_t offset;
};

struct feed {
    int fd; /* -1: none was made */
    struct feed_chunk *chunks;
    size_t count, room;
    uint64_t at;
    struct buf block;
};

void feed_init(struct feed *f);
void feed_release(struct feed *f);
bool feed_add(struct feed *f, uint32_t input, uint32_t seq, struct str chunk, struct err *err) MUSTCHECK;
/* No more come; `count` were sent. ERR_SYSTEM when one is missing or came twice. */
bool feed_end(struct feed *f, uint32_t count, struct err *err) MUSTCHECK;
/* Chunk `seq` of an input, valid until the next call, or *out_end behind its last one. */
bool feed_read(struct feed *f, uint32_t input, uint32_t seq, struct str *out_chunk, bool *out_end,
               struct err *err) MUSTCHECK;
/* A new file without a name in `dir` (NULL: TMPDIR, or /tmp), or -1. */
int feed_temporary(const char *dir, struct err *err);
