#include "trainer/engine/retry.h"

#include <sysexits.h>

#include "base/mem.h"
#include "trainer/engine/task.h"

enum { BACKOFF_US = 200000, BACKOFF_STEPS_MAX = 8 };

static const struct retry_rule rules[] = {
    { EX_USAGE, "usage", RETRY_NEVER, ERR_SYSTEM },
    { WORKER_BAD_DATA, "bad data", RETRY_NEVER, ERR_INVALID },
    { WORKER_BUG, "a bug, or a kernel that is not deterministic", RETRY_NEVER, ERR_INVALID },
    { WORKER_SYSTEM, "memory or disk", RETRY_ALONE, ERR_SYSTEM },
    { WORKER_AGAIN, "for now", RETRY_AGAIN, ERR_SYSTEM },
    { WORKER_OTHER_BUILD, "another build of the worker", RETRY_NEVER, ERR_SYSTEM },
    { RETRY_SIGNAL, "a signal", RETRY_AGAIN, ERR_SYSTEM },
};
static const struct retry_rule unknown = { 0, "an unknown exit code", RETRY_AGAIN, ERR_SYSTEM };

const struct retry_rule *retry_rule_of(int code)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].code == code)
            return &rules[i];
    return &unknown;
}

int64_t retry_wait_us(unsigned attempts)
{
    unsigned steps = attempts > BACKOFF_STEPS_MAX ? BACKOFF_STEPS_MAX : attempts;
    return (int64_t)BACKOFF_US << (steps ? steps - 1 : 0);
}
