/* webhook.h - posts JSON to one address, from the control thread's loop, without anybody waiting for it.
 *
 * A message that is not answered with 2xx is sent again after 2, 4, 8 … seconds, WEBHOOK_TRIES times in all; then it is logged as lost. At most
 * WEBHOOK_WAITING_MAX wait, the oldest first. What waits dies with the daemon: the alarm itself is kept with the experiment. Plain HTTP only: put a
 * proxy before what is far away. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct event_base;
struct webhook;

enum { WEBHOOK_TRIES = 8, WEBHOOK_WAITING_MAX = 100, WEBHOOK_TIMEOUT_S = 10 };

/* Refuses what is no http address with a host. */
struct webhook *webhook_new(struct event_base *base, const char *url, struct err *err);
void webhook_free(struct webhook *w);
void webhook_post(struct webhook *w, struct str json);
