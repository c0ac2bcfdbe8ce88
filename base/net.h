/* net.h - internet addresses as values: parsing, shortening, and networks ("10.0.0.0/8", "2001:db8::/32"). IPv4 is kept as mapped into IPv6,
 * so that one comparison serves both. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { NET_TEXT_MAX = 46, NET_V4_KEPT = 24, NET_V6_KEPT = 48 };

struct net_address {
    unsigned char bytes[16]; /* ::ffff:a.b.c.d of IPv4 */
};

struct net {
    struct net_address first;
    unsigned bits; /* of the 128 */
};

struct net_list {
    struct net *p;
    size_t n;
};

/* An address and nothing else: no port, no zone, no brackets. */
bool net_parse(struct str text, struct net_address *out);
/* What is kept of a visitor's address: 24 bits of IPv4, 48 of IPv6, the rest zeros. */
void net_shorten(struct net_address *a);
const char *net_format(const struct net_address *a, char out[NET_TEXT_MAX]);

/* Networks and single addresses, separated by commas; mem_free(out->p) by the caller. The error names the one that is none. */
bool net_list_parse(struct str text, struct net_list *out, struct err *err) MUSTCHECK;
bool net_list_has(const struct net_list *list, const struct net_address *a);
