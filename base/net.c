#include "base/net.h"

#include <arpa/inet.h>

#include "base/mem.h"

static const unsigned char v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool is_v4(const struct net_address *a)
{
    return memcmp(a->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

bool net_parse(struct str text, struct net_address *out)
{
    char copy[NET_TEXT_MAX];
    struct net_address a = { 0 };
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, 0, text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    memcpy(a.bytes, v4_prefix, sizeof v4_prefix);
    if (inet_pton(AF_INET, copy, a.bytes + sizeof v4_prefix) != 1 && inet_pton(AF_INET6, copy, a.bytes) != 1)
        return false;
    *out = a;
    return true;
}

/* Zeros behind the first `bits`. */
static void keep(struct net_address *a, unsigned bits)
{
    for (unsigned i = 0; i < sizeof a->bytes; i++) {
        unsigned kept = bits <= 8 * i ? 0 : bits - 8 * i >= 8 ? 8 : bits - 8 * i;
        a->bytes[i] &= (unsigned char)(0xff00 >> kept);
    }
}

void net_shorten(struct net_address *a)
{
    keep(a, is_v4(a) ? 96 + NET_V4_KEPT : NET_V6_KEPT);
}

const char *net_format(const struct net_address *a, char out[NET_TEXT_MAX])
{
    return is_v4(a) ? inet_ntop(AF_INET, a->bytes + sizeof v4_prefix, out, NET_TEXT_MAX)
                    : inet_ntop(AF_INET6, a->bytes, out, NET_TEXT_MAX);
}

static bool parse_one(struct str text, struct net *out, struct err *err)
{
    struct str rest = text, address, bits;
    uint32_t n = 0, most;
    bool ok = str_split(&rest, '/', &address) && net_parse(address, &out->first);
    most = ok && is_v4(&out->first) ? 32 : 128;
    n = most;
    if (ok && str_split(&rest, '/', &bits))
        ok = parse_u32(bits, &n, NULL) && n <= most && !rest.n;
    if (!ok)
        return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no address and no network such as 10.0.0.0/8",
                       STR_ARG(str_cut(text, 60)));
    out->bits = 128 - most + n;
    keep(&out->first, out->bits);
    return true;
}

bool net_list_parse(struct str text, struct net_list *out, struct err *err)
{
    struct net_list list = { 0 };
    struct str rest = text, part;
    while (str_split(&rest, ',', &part)) {
        part = str_trim(part);
        if (!part.n)
            continue;
        list.p = mem_realloc(list.p, (list.n + 1) * sizeof *list.p);
        if (!parse_one(part, &list.p[list.n++], err)) {
            mem_free(list.p);
            return false;
        }
    }
    *out = list;
    return true;
}

bool net_list_has(const struct net_list *list, const struct net_address *a)
{
    for (size_t i = 0; i < list->n; i++) {
        struct net_address in = *a;
        keep(&in, list->p[i].bits);
        if (memcmp(in.bytes, list->p[i].first.bytes, sizeof in.bytes) == 0)
            return true;
    }
    return false;
}
