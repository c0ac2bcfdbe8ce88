#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experimentd/http/conn.h"
#include "experimentd/http/cors.h"

static struct event_base *base;
static struct http_counters counters;
static struct http_server *server;
static int client;
static char answer[1 << 16];

static void setup(void)
{
    int fds[2];
    base = event_base_new();
    server = http_server_new(base, -1, &http_limits_default, &counters, routes_dispatch, NULL);
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    client = fds[1];
    (void)conn_new(server, fds[0]);
}

static void teardown(void)
{
    http_server_free(server);
    event_base_free(base);
    close(client);
    cors_release();
}

static void set_origins(const char *list)
{
    struct err err;
    cr_assert(cors_set_origins(list, &err), "%s", err.text);
}

/* "METHOD /path" and headers, each ended by \r\n. */
static const char *ask(const char *what, const char *headers)
{
    char text[1000];
    int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\n%s\r\n", what, headers);
    cr_assert(write(client, text, (size_t)n) == n);
    for (int i = 0; i < 3; i++) {
        (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        http_server_turn(server);
    }
    ssize_t got = recv(client, answer, sizeof answer - 1, MSG_DONTWAIT);
    answer[got > 0 ? got : 0] = '\0';
    return answer;
}

#define SHOP "Origin: https://shop.example\r\n"
#define PREFLIGHT SHOP "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n"

static bool holds(const char *text)
{
    return strstr(answer, text) != NULL;
}

TestSuite(cors, .init = setup, .fini = teardown);

Test(cors, a_preflight_is_answered_without_a_key)
{
    set_origins("*");
    cr_assert(strncmp(ask("OPTIONS /v1/assign", PREFLIGHT), "HTTP/1.1 204 ", 13) == 0, "%s", answer);
    cr_assert(holds("Access-Control-Allow-Origin: *\r\n") && holds("Access-Control-Allow-Methods: POST\r\n"), "%s",
              answer);
    cr_assert(holds("Authorization") && holds("If-None-Match") && holds("Access-Control-Max-Age: "), "%s", answer);
}

Test(cors, a_refusal_can_be_read_by_the_page)
{
    set_origins("*");
    cr_assert(strncmp(ask("POST /v1/assign", SHOP "Content-Length: 0\r\n"), "HTTP/1.1 401 ", 13) == 0, "%s", answer);
    cr_assert(holds("Access-Control-Allow-Origin: *\r\n"), "%s", answer);
    cr_assert(holds("Access-Control-Expose-Headers: ETag, Retry-After"), "%s", answer);
}

Test(cors, what_needs_more_than_a_client_key_is_not_for_pages)
{
    set_origins("*");
    (void)ask("OPTIONS /v1/experiments", PREFLIGHT);
    cr_assert(holds("HTTP/1.1 204 ") && !holds("Access-Control"), "%s", answer);
    (void)ask("GET /v1/experiments", SHOP);
    cr_assert(holds("HTTP/1.1 401 ") && !holds("Access-Control"), "%s", answer);
}

Test(cors, a_list_names_the_origin_and_varies)
{
    set_origins(" https://other.example , https://shop.example");
    (void)ask("POST /v1/assign", SHOP "Content-Length: 0\r\n");
    cr_assert(holds("Access-Control-Allow-Origin: https://shop.example\r\n") && holds("Vary: Origin\r\n"), "%s",
              answer);
    (void)ask("POST /v1/assign", "Origin: https://evil.example\r\nContent-Length: 0\r\n");
    cr_assert(holds("Vary: Origin\r\n") && !holds("Access-Control"), "%s", answer);
}

Test(cors, an_empty_list_allows_nobody)
{
    set_origins("");
    (void)ask("OPTIONS /v1/assign", PREFLIGHT);
    cr_assert(holds("HTTP/1.1 204 ") && !holds("Access-Control"), "%s", answer);
}

static bool may_send(const char *origin)
{
    struct http_header headers[] = { { STR("host"), STR("Daemon.example:8080") }, { STR("origin"), str_of(origin) } };
    struct http_request req = { .headers = headers, .headers_count = *origin ? 2 : 1 };
    return cors_may_send(&req);
}

Test(cors, a_page_that_need_not_ask_first_may_only_send_from_an_origin_of_the_list)
{
    set_origins("https://shop.example");
    cr_assert(may_send("") && may_send("https://shop.example") && may_send("http://daemon.example:8080"));
    cr_assert(not(may_send("https://evil.example") || may_send("null") || may_send("http://daemon.example")));
    set_origins("");
    cr_assert(may_send("https://daemon.example:8080") && !may_send("https://shop.example"));
    set_origins("*");
    cr_assert(may_send("https://evil.example") && may_send("null"));
}

Test(cors, an_origin_that_is_none_is_refused_at_the_start)
{
    static const char *const bad[] = { "shop.example", "https://", "https://shop.example/path", "*,https://a.example",
                                       "https://a.example,,https://b.example" };
    struct err err;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bool taken = cors_set_origins(bad[i], &err);
        cr_assert(not(taken), "%s", bad[i]);
        cr_assert(strstr(err.text, "cors.origins") != NULL, "%s", err.text);
    }
}
