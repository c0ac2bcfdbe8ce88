#include "trainer/jobs/params.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"

int32_t run_day(const struct run_context *run, const char *name, int32_t fallback)
{
    char whole[CLOCK_TEXT_MAX];
    const char *text = run->param(run, name);
    int64_t at_us = 0;
    if (!text)
        return fallback;
    (void)snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
    bool ok = clock_parse(str_of(whole), &at_us, NULL);
    assert(ok);
    return clock_day(at_us);
}
