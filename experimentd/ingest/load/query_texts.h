/* query_texts.h - the texts of the last queries by their ids: a click that names its query by id only gets the text from here.
 *
 * Two generations of QUERY_TEXTS_WINDOW queries or QUERY_TEXTS_BYTES of text, whichever comes first (12 MiB each at most): when the young one
 * is full it becomes the old one. An id is a 64-bit hash (two that share one: odds 2^-64). One thread, the loader's; what other
 * loaders saw, or came after its click, is for fill_query_texts(day). */
#pragma once
#include "base/mem.h"
#include "experimentd/ingest/signal.h"

enum { QUERY_TEXTS_WINDOW = 1 << 17, QUERY_TEXTS_BYTES = 8 << 20 };

struct query_texts_generation {
    struct query_texts_slot {
        uint64_t key; /* 0: free */
        uint32_t at, bytes;
    } * slots;
    char *texts;
    size_t used, bytes;
};

struct query_texts {
    struct query_texts_generation young, old;
};

void query_texts_release(struct query_texts *q);
/* Remembers what the signals tell, then gives it to those that lack it. The texts given live until the next call. */
void query_texts_apply(struct query_texts *q, struct signal *signals, size_t count);
