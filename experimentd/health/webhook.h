/* webhook.h - posts JSON to one address, from the loop of its thread, without anybody waiting for it.
 *
 * A message that is not answered with 2xx is sent again after 2, 4, 8 … seconds, WEBHOOK_TRIES times in all; then it is logged as lost. At most
 * WEBHOOK_WAITING_MAX wait, the oldest first. What waits dies with the daemon: who must not lose it keeps it and posts again (jobs/notices.h). Plain HTTP
 * only: put a proxy before what is far away.
 *
 * With a secret each message carries "X-Experimentd-Signature: t=SECONDS,v1=HEX", HEX the HMAC-SHA256 of "SECONDS.BODY" under the secret: the receiver
 * computes it again, and refuses what is old or differs. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct event_base;
struct webhook;

enum { WEBHOOK_TRIES = 8, WEBHOOK_WAITING_MAX = 100, WEBHOOK_TIMEOUT_S = 10 };

/* Of the first line of a file: 16 to WEBHOOK_SECRET_MAX bytes; NULL or "": *out becomes NULL. The caller's to free. */
enum { WEBHOOK_SECRET_MAX = 1000 };
bool webhook_read_secret(const char *path, char **out, struct err *err) MUSTCHECK;

/* An http address with a host and without a password; the text ends with 0. */
bool webhook_is_address(struct str url, size_t max);
/* Refuses what is no http address with a host. secret: borrowed, NULL for none. */
struct webhook *webhook_new(struct event_base *base, const char *url, const char *secret, struct err *err);
void webhook_free(struct webhook *w);

/* Once for each message: it arrived, or was given up after so many tries. Not for what waits when the webhook is freed. */
typedef void (*webhook_done_fn)(void *arg, bool arrived, unsigned tries);
void webhook_post(struct webhook *w, struct str json, webhook_done_fn done, void *arg); /* done may be NULL */
size_t webhook_waiting(const struct webhook *w);
