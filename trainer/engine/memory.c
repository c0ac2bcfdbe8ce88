#include "trainer/engine/memory.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trainer/engine/runtime.h"

enum { MARGIN_MB = 256 };

static const struct task *capped; /* one task at a time */

/* Under AddressSanitizer most of the private memory is the sanitizer's. */
#if defined(__SANITIZE_ADDRESS__)
#define WITHOUT_BACK_STOP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITHOUT_BACK_STOP 1
#endif
#endif

#ifndef WITHOUT_BACK_STOP
/* In pages: size, resident, shared, text, lib, data. */
static size_t data_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    bool ok = fscanf(f, "%*u %*u %*u %*u %*u %llu", &pages) == 1;
    (void)fclose(f);
    return ok ? (size_t)pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static void set_back_stop(size_t cap_bytes)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_DATA, &r) != 0)
        return;
    r.rlim_cur = data_bytes() + cap_bytes + ((size_t)MARGIN_MB << 20);
    if (r.rlim_cur <= r.rlim_max)
        (void)setrlimit(RLIMIT_DATA, &r);
}

static void lift_back_stop(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_DATA, &r) != 0)
        return;
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_DATA, &r);
}
#else
static void set_back_stop(size_t cap_bytes)
{
    (void)cap_bytes;
}

static void lift_back_stop(void)
{
}
#endif

static void over(size_t limit_bytes)
{
    char text[160];
    lift_back_stop();
    (void)snprintf(text, sizeof text, "the split needs more than its %zu MiB of memory (memory_mb)", limit_bytes >> 20);
    (void)wire_say(FRAME_ERROR, capped->split, capped->attempt, str_of(text));
    _exit(WORKER_SYSTEM);
}

void memory_cap(const struct task *t)
{
    size_t cap = (size_t)json_integer_value(json_object_get(t->json, "memory_mb")) << 20;
    capped = t;
    if (!cap)
        return;
    set_back_stop(cap);
    mem_limit(cap, over);
}

size_t memory_uncap(void)
{
    size_t peak = mem_peak();
    mem_limit(0, NULL);
    lift_back_stop();
    return peak;
}
