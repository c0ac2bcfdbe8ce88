/* retry.h - what is done about a worker that ended with a failure; the same for every engine. */
#pragma once
#include <stdint.h>

#include "base/err.h"

enum retry_then {
    RETRY_NEVER, /* what was tried would fail again */
    RETRY_ALONE, /* once more, when nothing else runs, with twice the memory */
    RETRY_AGAIN  /* up to max_attempts, each on a fresh process */
};

struct retry_rule {
    int code; /* of <sysexits.h>; RETRY_SIGNAL: ended by a signal */
    const char *what;
    enum retry_then then;
    enum err_kind kind; /* of the run's error, when it is given up */
};
enum { RETRY_SIGNAL = -1 };

/* A code that has no rule is tried again. */
const struct retry_rule *retry_rule_of(int code);
/* When an attempt that follows `attempts` lost ones may begin, in µs from now: 0.2 s · 2^k. */
int64_t retry_wait_us(unsigned attempts);
