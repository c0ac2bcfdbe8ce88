/* log.h - one line per event on standard error: time, level, event name, key=value pairs.
 *
 *   2026-11-24T12:00:00.123456Z info  listening host=127.0.0.1 port=8080
 *
 * The format after the event name is printf's and holds the pairs; values from outside go through LOG_Q (quotes, escapes).
 * Lines of one event name beyond 20 a second are counted, not written, and the count is told with the next one. Thread safe. */
#pragma once
#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };

void log_set_level(enum log_level level);
bool log_parse_level(const char *name, enum log_level *out);
/* Prefix of this thread's lines: "worker=1 ", kept by reference. */
void log_set_thread(const char *prefix);
/* Gets each line that is written, too, without its time and line end; NULL: nobody. From any thread that logs; set it when there is one thread. */
void log_set_listener(void (*fn)(void *arg, const char *line), void *arg);
void log_write(enum log_level level, const char *event, const char *fmt, ...) PRINTF(3, 4);
#define log_debug(event, ...) log_write(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)
/* `error="text"` of an error value, for a line that ends with it: log_error("run_failed", "run=%s " LOG_ERR, id, LOG_ERR_ARG(&err)) */
#define LOG_ERR "kind=%s error=\"%s\""
#define LOG_ERR_ARG(e) err_kind_name((e)->kind), (e)->text
