#include "base/net.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/mem.h"

static const char *shortened(const char *text, char out[NET_TEXT_MAX])
{
    struct net_address a;
    if (!net_parse(str_of(text), &a))
        return "no address";
    net_shorten(&a);
    return net_format(&a, out);
}

Test(net, a_shortened_address_keeps_24_or_48_bits)
{
    static const char *const cases[][2] = {
        { "203.0.113.77", "203.0.113.0" },
        { "::ffff:203.0.113.77", "203.0.113.0" },
        { "2001:db8:1234:5678:9abc:def0:1:2", "2001:db8:1234::" },
        { "::1", "::" },
        { "203.0.113.77:80", "no address" },
        { "[2001:db8::1]", "no address" },
        { "fe80::1%eth0", "no address" },
        { "203.0.113", "no address" },
        { "", "no address" },
        { "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", "no address" },
    };
    char out[NET_TEXT_MAX];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_assert(str_eq_c(str_of(shortened(cases[i][0], out)), cases[i][1]), "%s", cases[i][0]);
}

static bool has(const struct net_list *list, const char *text)
{
    struct net_address a;
    return net_parse(str_of(text), &a) && net_list_has(list, &a);
}

Test(net, a_list_holds_networks_and_addresses_of_both_kinds)
{
    struct net_list list;
    struct err err;
    cr_assert(net_list_parse(STR("10.0.0.0/8, 192.0.2.1,2001:db8::/33 ,172.16.5.0/22"), &list, &err), "%s", err.text);
    static const char *const in[] = { "10.255.0.1", "192.0.2.1", "2001:db8:7fff::1", "172.16.7.255",
                                      "::ffff:10.1.2.3" };
    static const char *const out[] = { "11.0.0.1", "192.0.2.2", "2001:db8:8000::1", "172.16.8.0", "::10.1.2.3" };
    for (size_t i = 0; i < COUNT_OF(in); i++)
        cr_assert(has(&list, in[i]), "%s", in[i]);
    for (size_t i = 0; i < COUNT_OF(out); i++)
        cr_assert(not(has(&list, out[i])), "%s", out[i]);
    mem_free(list.p);
    cr_assert(net_list_parse(STR(""), &list, &err));
    cr_assert(eq(sz, list.n, 0));
}

Test(net, a_bad_network_is_named)
{
    static const char *const bad[] = {
        "10.0.0.0/33", "10.0.0/8", "example.org", "10.0.0.0/", "10.0.0.0/8/9", "::/129"
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct net_list list;
        struct err err = { 0 };
        AUTO(mem_free) char *text = mem_printf("192.0.2.1,%s", bad[i]);
        cr_assert(not(net_list_parse(str_of(text), &list, &err)), "%s", bad[i]);
        cr_assert(strstr(err.text, bad[i]) != NULL, "%s", err.text);
    }
}
