#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "experimentd/http/conn.h"

enum { ANSWER_MAX = 1 << 16 };

static struct event_base *base;
static struct http_counters counters;
static struct http_server *server;
static struct http_request *held[16];
static size_t held_count;
static int client;
static char answer[ANSWER_MAX];

/* "/hold…" waits, everything else is answered with its path and body. */
static void on_request(struct http_request *req, void *arg)
{
    (void)arg;
    if (str_starts(req->path, STR("/hold"))) {
        held[held_count++] = req;
        return;
    }
    struct str parts[] = { req->path, STR(":"), req->body };
    http_reply_parts(req, 200, "text/plain", parts, 3);
}

static void turn(void)
{
    for (int i = 0; i < 3; i++) {
        (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        http_server_turn(server);
    }
}

static void send_text(const char *text)
{
    cr_assert(write(client, text, strlen(text)) == (ssize_t)strlen(text));
    turn();
}

static const char *receive(void)
{
    ssize_t n = recv(client, answer, sizeof answer - 1, MSG_DONTWAIT);
    answer[n > 0 ? n : 0] = '\0';
    return answer;
}

static bool closed(void)
{
    char byte;
    turn();
    return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

static void setup(void)
{
    int fds[2];
    struct http_limits limits = http_limits_default;
    limits.body_bytes = 1000;
    limits.header_bytes = 2000;
    limits.headers = 10;
    limits.pipeline = 4;
    base = event_base_new();
    server = http_server_new(base, -1, &limits, &counters, on_request, NULL);
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    client = fds[1];
    (void)conn_new(server, fds[0]);
}

static void teardown(void)
{
    http_server_free(server);
    event_base_free(base);
    close(client);
}

TestSuite(conn, .init = setup, .fini = teardown);

Test(conn, a_request_in_single_bytes_is_answered)
{
    static const char text[] = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        cr_assert(write(client, text + i, 1) == 1);
        turn();
    }
    cr_assert(strstr(receive(), "200 OK") != NULL);
    cr_assert(strstr(answer, "\r\n\r\n/a:abc") != NULL, "%s", answer);
}

Test(conn, pipelined_replies_keep_the_order_also_when_the_first_is_late)
{
    send_text(
        "GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert(strlen(receive()) == 0, "nothing overtakes the first");
    http_reply(held[0], 200, "text/plain", STR("first"));
    turn();
    const char *first = strstr(receive(), "first"), *b = strstr(answer, "/b:"), *c = strstr(answer, "/c:");
    cr_assert(first && b && c && first < b && b < c, "%s", answer);
}

Test(conn, more_than_the_pipeline_limit_waits_and_is_not_lost)
{
    char text[2048] = "";
    for (int i = 0; i < 9; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    send_text(text);
    cr_assert(eq(sz, held_count, 4));
    for (size_t i = 0; i < 9; i++) {
        http_reply(held[i], 200, "text/plain", STR("x"));
        turn();
    }
    cr_assert(eq(sz, held_count, 9));
}

Test(conn, a_chunked_body_is_joined)
{
    send_text("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    cr_assert(strstr(receive(), "/a:abcde") != NULL, "%s", answer);
}

Test(conn, a_gzip_body_is_opened)
{
    unsigned char packed[256];
    char head[128];
    z_stream z = { .next_in = (Bytef *)(uintptr_t) "hello hello hello",
                   .avail_in = 17,
                   .next_out = packed,
                   .avail_out = sizeof packed };
    cr_assert(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK &&
              deflate(&z, Z_FINISH) == Z_STREAM_END);
    int n = snprintf(head, sizeof head,
                     "POST /g HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
                     z.total_out);
    cr_assert(write(client, head, (size_t)n) == n && write(client, packed, z.total_out) == (ssize_t)z.total_out);
    turn();
    cr_assert(strstr(receive(), "/g:hello hello hello") != NULL, "%s", answer);
    (void)deflateEnd(&z);
}

static void expect(const char *text, const char *status)
{
    send_text(text);
    cr_assert(strncmp(receive(), "HTTP/1.1 ", 9) == 0 && strncmp(answer + 9, status, 3) == 0, "%s: %s", text, answer);
    cr_assert(strstr(answer, "application/problem+json") != NULL, "%s", answer);
    cr_assert(strstr(answer, "Connection: close") != NULL, "%s", answer);
    cr_assert(closed(), "%s", text);
}

Test(conn, a_body_over_the_limit_is_413)
{
    expect("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "413");
}

Test(conn, too_many_headers_are_431)
{
    expect("GET /a HTTP/1.1\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\n\r\n",
           "431");
}

Test(conn, a_missing_host_is_400)
{
    expect("GET /a HTTP/1.1\r\n\r\n", "400");
}

Test(conn, length_and_chunked_together_are_400)
{
    expect("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "400");
}

Test(conn, bytes_that_are_no_http_are_400)
{
    expect("hello there\r\n\r\n", "400");
}

Test(conn, an_answer_to_a_client_that_has_left_is_dropped)
{
    send_text("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert(eq(sz, held_count, 1));
    (void)shutdown(client, SHUT_RDWR);
    turn();
    http_reply(held[0], 200, "text/plain", STR("late"));
    turn();
    cr_assert(eq(u64, atomic_load(&counters.connections_open), 0));
}

Test(conn, http_1_0_is_answered_and_closed)
{
    send_text("GET /a HTTP/1.0\r\n\r\n");
    cr_assert(strstr(receive(), "/a:") != NULL);
    cr_assert(closed());
}

Test(conn, head_has_the_length_and_no_body)
{
    send_text("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert(strstr(receive(), "Content-Length: 5\r\n") != NULL, "%s", answer);
    cr_assert(strcmp(answer + strlen(answer) - 4, "\r\n\r\n") == 0);
}

Test(conn, draining_answers_what_is_under_way_and_closes)
{
    send_text("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    http_server_drain(server);
    turn();
    cr_assert(not(http_server_drained(server)));
    http_reply(held[0], 200, "text/plain", STR("last"));
    turn();
    cr_assert(strstr(receive(), "Connection: close") != NULL, "%s", answer);
    turn();
    cr_assert(http_server_drained(server));
}
