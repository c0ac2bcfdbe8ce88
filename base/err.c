#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [ERR_NONE] = "none",           [ERR_INVALID] = "invalid",   [ERR_DENIED] = "denied",
    [ERR_NOT_FOUND] = "not-found", [ERR_CONFLICT] = "conflict", [ERR_TOO_LARGE] = "too-large",
    [ERR_BUSY] = "busy",           [ERR_DB] = "database",       [ERR_SYSTEM] = "system",
};
static_assert(sizeof kind_names / sizeof *kind_names == ERR_COUNT, "a name for every kind");

const char *err_kind_name(enum err_kind kind)
{
    return kind_names[kind];
}

bool(err_set)(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    if (!e)
        return false;
    va_list ap;
    va_start(ap, fmt);
    e->kind = kind;
    (void)vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return false;
}

bool(err_set_errno)(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    if (!e)
        return false;
    va_list ap;
    va_start(ap, fmt);
    e->kind = ERR_SYSTEM;
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->text)
        (void)snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", strerror(saved));
    return false;
}

bool(err_prefix)(struct err *e, const char *fmt, ...)
{
    if (!e)
        return false;
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->text)
        (void)snprintf(e->text + n, sizeof e->text - (size_t)n, "%s", old);
    return false;
}
