/* details.h - what params tell of the client: read for its marks, and shortened before anything is stored.
 *
 * In params of every format, at any depth:
 *   "ip", "ip_address", "client_ip", "remote_ip", "remote_addr", "x_forwarded_for" (also in camelCase): an address keeps its first 24 bits
 *   (IPv6: 48); what stands there and is no address becomes null.
 *   "user_agent", "userAgent": tells a bot.
 *   "bot": true, "internal": true: the client says so itself. */
#pragma once
#include "base/mem.h"
#include "experimentd/marks/mark.h"

struct details {
    struct str agent;   /* in the text given; {NULL, 0}: not told */
    struct str address; /* in full; for rules only, never stored */
    enum mark said;
};

/* `params` is valid JSON, or {NULL, 0}; what comes back is the same text where nothing had to go, else a copy in the arena. */
struct str details_read(struct str params, struct arena *arena, struct details *out);
