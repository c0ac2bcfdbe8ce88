/* err.h - the one error value of the project.
 *
 * Whatever can fail returns bool (or a pointer) and takes a `struct err *` last. On failure it has filled the error and has
 * not touched its out parameters. Only the top of a path (a handler, a run step, main) logs an error or answers with it.
 * The text follows PostgreSQL's message guide: lower case, no full stop, the object in quotes, what was wrong with which
 * input. */
#pragma once
#include <stdbool.h>

#define PRINTF(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))
#define MUSTCHECK __attribute__((warn_unused_result))

enum err_kind {
    ERR_NONE,
    ERR_INVALID,   /* the caller's input is wrong                          400 */
    ERR_DENIED,    /* known who, not allowed                               403 */
    ERR_NOT_FOUND, /*                                                      404 */
    ERR_CONFLICT,  /* the object is in a state that forbids it             409 */
    ERR_TOO_LARGE, /* a named limit was passed                             413 */
    ERR_BUSY,      /* try again later                                      503 */
    ERR_DB,        /* PostgreSQL refused or is away                        503 */
    ERR_SYSTEM,    /* the operating system refused                         500 */
    ERR_COUNT
};

struct err {
    enum err_kind kind;
    char text[256];
};

/* Fills *e (NULL is allowed) and always returns false, so that `return err_set(…)` ends a function. */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);
/* As err_set, with ": strerror(errno)" behind the text and kind ERR_SYSTEM. */
bool err_set_errno(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* Puts a prefix before the text that stands: "line 12: " + text. Returns false. */
bool err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* The compiler sees that these return false, so it does not warn about out parameters "used uninitialised" behind a check
 * (after git's error()). */
static inline bool err_false(void)
{
    return false;
}
#define err_set(...) (err_set(__VA_ARGS__), err_false())
#define err_set_errno(...) (err_set_errno(__VA_ARGS__), err_false())
#define err_prefix(...) (err_prefix(__VA_ARGS__), err_false())

/* The kind's name in the answer's "type": "invalid", "not-found", … */
const char *err_kind_name(enum err_kind kind);
