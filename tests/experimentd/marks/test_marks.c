/* What marks a signal: user agents, what params tell, rates; and what is shortened before anything is stored. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "experimentd/marks/agents.h"
#include "experimentd/marks/details.h"
#include "experimentd/marks/rates.h"

Test(agents, programs_that_read_pages_are_told_from_people_and_from_servers)
{
    static const char *const bots[] = {
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://bing.com/bingbot.htm)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
        "facebookexternalhit/1.1",
        "Wget/1.21",
    };
    static const char *const others[] = {
        "Mozilla/5.0 (Linux; Android 11; CUBOT P40) AppleWebKit/537.36 Chrome/96.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0",
        "node",
        "axios/1.7.2",
        "python-requests/2.31",
        "curl/8.5.0",
        "analytics-node/2.1.0",
        "Bottle/0.12",
        "",
    };
    for (size_t i = 0; i < COUNT_OF(bots); i++)
        cr_assert(agent_is_bot(str_of(bots[i]), STR("")), "%s", bots[i]);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        cr_assert(not(agent_is_bot(str_of(others[i]), STR(""))), "%s", others[i]);
    cr_assert(agent_is_bot(STR("curl/8.5.0 (Shop Check)"), STR("other, shop check")));
    cr_assert(not(agent_is_bot(STR("curl/8.5.0"), STR(", ,"))));
}

static struct str read(const char *params, struct arena *arena, struct details *out)
{
    return details_read(str_of(params), arena, out);
}

Test(details, addresses_are_shortened_wherever_they_stand)
{
    static const char *const cases[][2] = {
        { "{\"ip\":\"203.0.113.77\"}", "{\"ip\":\"203.0.113.0\"}" },
        { "{ \"a\" : {\"client_ip\" :  \"2001:db8:1:2::3\" , \"b\":[1,{\"ipAddress\":\"1.2.3.4\"}]}, \"c\":\"x\" }",
          "{ \"a\" : {\"client_ip\" :  \"2001:db8:1::\" , \"b\":[1,{\"ipAddress\":\"1.2.3.0\"}]}, \"c\":\"x\" }" },
        { "{\"x_forwarded_for\":\"1.2.3.4, 5.6.7.8\",\"n\":1}", "{\"x_forwarded_for\":null,\"n\":1}" },
        { "{\"remote_addr\":[\"1.2.3.4\",{\"a\":\"]}\"}],\"n\":1}", "{\"remote_addr\":null,\"n\":1}" },
        { "{\"ip\":3405803853,\"clientIP\":null,\"remoteIp\":true}",
          "{\"ip\":null,\"clientIP\":null,\"remoteIp\":null}" },
        { "{\"\\u0069p\":\"\\u0031.2.3.4\",\"a\":\"\\u00e4\"}", "{\"ip\":\"1.2.3.0\",\"a\":\"ä\"}" },
        { "{\"text\":\"say "
          "\\\"ip\\\":\\\"1.2.3.4\\\"\",\"zip\":\"1.2.3.4\",\"ips\":\"1.2.3.4\",\"list\":[\"ip\",\"bot\"]}",
          NULL },
        { "{\"user_agent\":[{\"ip_address\":  1}]}",
          "{\"user_agent\":[{\"ip_address\":  null}]}" }, /* found by fuzzing */
        { "{}", NULL },
        { "{\"ip\"", NULL },
    };
    struct arena arena;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct details told;
        struct str got = read(cases[i][0], &arena, &told);
        const char *want = cases[i][1] ? cases[i][1] : cases[i][0];
        cr_assert(str_eq_c(got, want), "%s became " STR_FMT, cases[i][0], STR_ARG(got));
        bool copied = got.p != cases[i][0];
        cr_assert(copied == (cases[i][1] != NULL), "what needs no change is not copied: %s", cases[i][0]);
    }
    arena_release(&arena);
}

Test(details, what_a_client_says_of_itself_is_told)
{
    struct arena arena;
    struct details told;
    arena_init(&arena, 1024);
    (void)read("{\"user_agent\":\"Googlebot/2.1\",\"ip\":\"1.2.3.4\"}", &arena, &told);
    cr_assert(str_eq_c(told.agent, "Googlebot/2.1"));
    cr_assert(str_eq_c(told.address, "1.2.3.4"), "rules see all of it");
    cr_assert(eq(int, (int)told.said, MARK_NONE));
    (void)read("{\"a\":{\"internal\" : true }}", &arena, &told);
    cr_assert(eq(int, (int)told.said, MARK_INTERNAL));
    (void)read("{\"bot\":true}", &arena, &told);
    cr_assert(eq(int, (int)told.said, MARK_BOT));
    (void)read("{\"bot\":false,\"internal\":\"true\"}", &arena, &told);
    cr_assert(eq(int, (int)told.said, MARK_NONE));
    cr_assert(details_read((struct str){ NULL, 0 }, &arena, &told).p == NULL);
    arena_release(&arena);
}

/* jansson reads what comes out, and the members are as many as before. */
Test(details, random_json_stays_json)
{
    static const char *const pieces[] = {
        "\"ip\"", "\"bot\"", "\"a\"", "\"user_agent\"", "\"1.2.3.4\"",          "\"x\\\"ip\\\"\"",
        "true",   "1",       "{}",    "[\"ip\"]",       "[{\"ip\":\"::1\"},2]", "null"
    };
    struct arena arena;
    unsigned seed = 7;
    arena_init(&arena, 4096);
    for (int round = 0; round < 20000; round++) {
        char text[512];
        int n = snprintf(text, sizeof text, "{");
        for (int k = 0; k < 4; k++) {
            seed = seed * 1664525 + 1013904223;
            const char *key = pieces[(seed >> 8) % 6], *value = pieces[(seed >> 20) % COUNT_OF(pieces)];
            n += snprintf(text + n, sizeof text - (size_t)n, "%s%.*s%d\" : %s", k ? " , " : "", (int)strlen(key) - 1,
                          key, k, value);
            if (seed >> 31)
                n += snprintf(text + n, sizeof text - (size_t)n, ",%s:%s", k % 2 ? "\"ip\"" : "\"client_ip\"", value);
        }
        (void)snprintf(text + n, sizeof text - (size_t)n, "}");
        struct details told;
        struct str got = read(text, &arena, &told);
        json_t *before = json_loads(text, 0, NULL), *after = json_loadb(got.p, got.n, 0, NULL);
        cr_assert(before != NULL && after != NULL, "%s became " STR_FMT, text, STR_ARG(got));
        cr_assert(eq(sz, json_object_size(before), json_object_size(after)));
        json_decref(before);
        json_decref(after);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

Test(rates, counts_by_unit_and_minute)
{
    struct rates r = { 0 };
    int64_t minute = 60 * US_PER_SECOND, at = 1000 * minute;
    cr_assert(eq(u32, rates_add(&r, STR("a"), at), 1));
    cr_assert(eq(u32, rates_add(&r, STR("a"), at + minute - 1), 2));
    cr_assert(eq(u32, rates_add(&r, STR("b"), at), 1));
    cr_assert(eq(u32, rates_add(&r, STR("a"), at + minute), 1));
    cr_assert(eq(u32, rates_add(&r, STR("a"), at + 5), 3), "a late one counts in its own minute");
    rates_release(&r);
}

Test(rates, a_window_of_pairs_is_remembered_exactly)
{
    struct rates r = { 0 };
    char name[16];
    uint32_t wrong = 0;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < RATES_WINDOW; i++) {
            int n = snprintf(name, sizeof name, "u%u", i);
            wrong += rates_add(&r, (struct str){ name, (size_t)n }, 0) != round + 1;
        }
    cr_assert(eq(u32, wrong, 0));
    cr_assert(r.young.used <= RATES_WINDOW && r.old.used <= RATES_WINDOW);
    rates_release(&r);
}
