/* What params tell of a client: JSON stays JSON, and no full address is left in it under any of the names. */
#include <jansson.h>
#include <stdlib.h>

#include "base/net.h"
#include "experimentd/marks/details.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_address_key(const char *key)
{
    static const char *const keys[] = { "ip",          "ip_address", "ipAddress",       "client_ip",
                                        "clientIp",    "clientIP",   "remote_ip",       "remoteIp",
                                        "remote_addr", "remoteAddr", "x_forwarded_for", "xForwardedFor" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static bool is_short(const json_t *v)
{
    struct net_address whole, kept;
    if (json_is_null(v))
        return true;
    if (!json_is_string(v) || !net_parse((struct str){ json_string_value(v), json_string_length(v) }, &whole))
        return false;
    kept = whole;
    net_shorten(&kept);
    return memcmp(&kept, &whole, sizeof kept) == 0;
}

static void check(json_t *v)
{
    const char *key;
    json_t *member;
    size_t i;
    json_object_foreach(v, key, member)
    {
        if (is_address_key(key) && !is_short(member))
            abort();
        check(member);
    }
    json_array_foreach(v, i, member) check(member);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct details told;
    json_t *before = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(before)) {
        json_decref(before);
        return -1;
    }
    arena_init(&arena, 4096);
    struct str after = details_read((struct str){ (const char *)data, size }, &arena, &told);
    json_t *parsed = json_loadb(after.p, after.n, 0, NULL);
    if (!parsed || json_object_size(parsed) != json_object_size(before))
        abort();
    check(parsed);
    json_decref(parsed);
    json_decref(before);
    arena_release(&arena);
    return 0;
}
