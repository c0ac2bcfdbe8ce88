/* rules.h - which signals are marked as they come in: by what the event says of its client, then by the request that brought it.
 * Read-only after the start; any thread. The rule of the rate is the loader's (rates.h), which sees what all workers took. */
#pragma once
#include "base/net.h"
#include "experimentd/marks/details.h"

struct http_request;

enum { MARKS_PER_MINUTE_DEFAULT = 600 };

struct mark_rules {
    struct str bot_agents;    /* further words, separated by commas; borrowed */
    struct net_list internal; /* networks of the site's own people */
    struct net_list proxies;  /* whose X-Forwarded-For is believed */
};

/* The settings' texts; they must outlive the rules. */
bool mark_rules_init(struct mark_rules *r, const char *bot_agents, const char *internal, const char *proxies,
                     struct err *err) MUSTCHECK;
void mark_rules_release(struct mark_rules *r);
/* By its User-Agent and the address it came from. */
enum mark mark_of_request(const struct mark_rules *r, const struct http_request *req);
/* By what an event tells; of_request when it tells nothing. */
enum mark mark_of_event(const struct mark_rules *r, const struct details *client, enum mark of_request);
