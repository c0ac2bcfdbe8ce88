#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

enum { LINE_BYTES = 2048, RATE_SLOTS = 64, RATE_PER_SECOND = 20 };

static const char *const level_names[] = { "debug", "info ", "warn ", "error" };
static _Atomic int lowest = LOG_INFO;
static _Thread_local const char *thread_prefix = "";
static void (*listener)(void *arg, const char *line);
static void *listener_arg;

/* Events share a slot when their names collide: then they are only limited together. */
static struct {
    int64_t second;
    unsigned lines, dropped;
} rates[RATE_SLOTS];
static pthread_mutex_t rates_lock = PTHREAD_MUTEX_INITIALIZER;

void log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

bool log_parse_level(const char *name, enum log_level *out)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        size_t n = strlen(name);
        if (n >= 4 && strncmp(level_names[i], name, n) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_thread(const char *prefix)
{
    thread_prefix = prefix;
}

void log_set_listener(void (*fn)(void *arg, const char *line), void *arg)
{
    listener = fn;
    listener_arg = arg;
}

/* True when the line may be written; *out_dropped tells how many of its kind were not since. */
static bool admit(const char *event, int64_t now_us, unsigned *out_dropped)
{
    unsigned slot = (unsigned)(hash64(str_of(event)) % RATE_SLOTS);
    bool yes = true;
    (void)pthread_mutex_lock(&rates_lock);
    *out_dropped = 0;
    if (rates[slot].second != now_us / US_PER_SECOND) {
        *out_dropped = rates[slot].dropped;
        rates[slot].second = now_us / US_PER_SECOND;
        rates[slot].lines = rates[slot].dropped = 0;
    }
    if (++rates[slot].lines > RATE_PER_SECOND) {
        rates[slot].dropped++;
        yes = false;
    }
    (void)pthread_mutex_unlock(&rates_lock);
    return yes;
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    char line[LINE_BYTES], when[CLOCK_TEXT_MAX];
    unsigned dropped;
    int64_t now = clock_now_us();
    if ((int)level < atomic_load_explicit(&lowest, memory_order_relaxed) || !admit(event, now, &dropped))
        return;
    int n = snprintf(line, sizeof line, "%s %s %s %s", clock_format(now, when), level_names[level], event,
                     thread_prefix);
    va_list ap;
    va_start(ap, fmt);
    if (n > 0 && n < (int)sizeof line)
        n += vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    va_end(ap);
    if (dropped && n < (int)sizeof line)
        n += snprintf(line + n, sizeof line - (size_t)n, " not_written=%u", dropped);
    if (n > (int)sizeof line - 2)
        n = (int)sizeof line - 2;
    for (int i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    line[n] = '\0';
    if (listener)
        listener(listener_arg, line + strlen(when) + 1);
    line[n++] = '\n';
    (void)!write(STDERR_FILENO, line, (size_t)n);
}
