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

/* A text that did not fit is cut between characters: half a character would make the whole answer no UTF-8. */
static void cut_between_characters(struct err *e)
{
    size_t n = strlen(e->text);
    if (n + 1 < sizeof e->text)
        return;
    size_t at = n;
    while (at > 0 && ((unsigned char)e->text[at - 1] & 0xC0) == 0x80)
        at--;
    unsigned char lead = at > 0 ? (unsigned char)e->text[at - 1] : 0;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (at > 0 && at - 1 + length > n)
        e->text[at - 1] = '\0';
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
    cut_between_characters(e);
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
    cut_between_characters(e);
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
    cut_between_characters(e);
    return false;
}
