#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experimentd/http/conn.h"

enum { CLIENTS_MAX = 600, TURNS_MAX = 100 };

static struct event_base *base;
static struct http_counters counters;
static struct http_server *server;
static struct http_channel *channel;
static struct http_stream *streams[CLIENTS_MAX];
static size_t streams_count, closed_count;
static struct http_request *held;
static int clients[CLIENTS_MAX];
static size_t clients_count;
static int64_t have = -1;
static char answer[1 << 16];

static void on_closed(struct http_stream *st, void *arg)
{
    (void)st;
    closed_count++;
    cr_assert(arg == &closed_count);
}

/* "/hold" waits, "/channel" joins the channel, everything else is a stream of its own. */
static void on_request(struct http_request *req, void *arg)
{
    (void)arg;
    if (str_starts(req->path, STR("/hold"))) {
        held = req;
        return;
    }
    bool joins = str_starts(req->path, STR("/channel"));
    http_reply_header(req, STR("X-A"), STR("b"));
    struct http_stream *st = http_stream_begin(req, "text/event-stream", on_closed, &closed_count);
    streams[streams_count++] = st;
    if (joins)
        http_channel_join(channel, st, have);
}

static void turn(void)
{
    for (int i = 0; i < 3; i++) {
        (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        http_server_turn(server);
    }
}

static int connect_one(const char *text)
{
    int fds[2];
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    clients[clients_count++] = fds[1];
    (void)conn_new(server, fds[0]);
    cr_assert(write(fds[1], text, strlen(text)) == (ssize_t)strlen(text));
    turn();
    return fds[1];
}

static const char *receive(int client)
{
    ssize_t n = recv(client, answer, sizeof answer - 1, MSG_DONTWAIT);
    answer[n > 0 ? n : 0] = '\0';
    return answer;
}

static bool ended(int client)
{
    ssize_t n;
    turn();
    while ((n = recv(client, answer, sizeof answer, MSG_DONTWAIT)) > 0) {
    }
    return n == 0;
}

static uint64_t open_streams(void)
{
    return atomic_load(&counters.streams_open);
}

static void setup(void)
{
    struct http_limits limits = http_limits_default;
    limits.stream_unsent_bytes = 1000000;
    base = event_base_new();
    server = http_server_new(base, -1, &limits, &counters, on_request, NULL);
    channel = http_channel_new(server);
}

static void teardown(void)
{
    http_channel_free(channel);
    http_server_free(server);
    event_base_free(base);
    for (size_t i = 0; i < clients_count; i++)
        close(clients[i]);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

TestSuite(stream, .init = setup, .fini = teardown);

Test(stream, the_head_has_no_length_and_pieces_follow_when_they_come)
{
    int client = connect_one(GET("/s"));
    cr_assert(strncmp(receive(client), "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", answer);
    cr_assert(strstr(answer, "Content-Type: text/event-stream\r\n") && strstr(answer, "X-A: b\r\n"), "%s", answer);
    cr_assert(strstr(answer, "Connection: close\r\n") && !strstr(answer, "Content-Length"), "%s", answer);
    http_stream_send_text(streams[0], STR("data: 1\n\n"));
    http_stream_send_text(streams[0], STR("data: 2\n\n"));
    cr_assert(strcmp(receive(client), "data: 1\n\ndata: 2\n\n") == 0, "%s", answer);
    cr_assert(eq(u64, open_streams(), 1));
}

Test(stream, its_connection_is_gone_and_the_socket_is_counted_once)
{
    (void)connect_one(GET("/s"));
    cr_assert(eq(ptr, server->conns, NULL));
    cr_assert(eq(u64, atomic_load(&counters.connections_open), 1));
}

Test(stream, an_answer_that_is_late_leaves_before_the_stream_behind_it)
{
    int client = connect_one(GET("/hold") GET("/s"));
    http_stream_send_text(streams[0], STR("data: early\n\n"));
    turn();
    cr_assert(strlen(receive(client)) == 0, "nothing overtakes the first");
    http_reply(held, 200, "text/plain", STR("first"));
    turn();
    const char *first = strstr(receive(client), "first"), *head = strstr(answer, "event-stream"),
               *early = strstr(answer, "data: early");
    cr_assert(first && head && early && first < head && head < early, "%s", answer);
}

Test(stream, each_that_is_left_is_closed_once_with_the_server)
{
    (void)connect_one(GET("/s"));
    (void)connect_one(GET("/channel"));
    (void)connect_one(GET("/hold") GET("/s"));
    http_channel_free(channel);
    http_server_free(server); /* what waits behind an answer ends, too */
    channel = NULL;
    server = NULL;
    cr_assert(eq(sz, streams_count, 3));
    cr_assert(eq(sz, closed_count, 3));
}

Test(stream, a_client_that_leaves_ends_it)
{
    int client = connect_one(GET("/s"));
    (void)shutdown(client, SHUT_RDWR);
    turn();
    cr_assert(eq(sz, closed_count, 1));
    cr_assert(eq(u64, open_streams(), 0));
}

Test(stream, a_client_that_leaves_before_its_turn_ends_it)
{
    int client = connect_one(GET("/hold") GET("/s"));
    (void)shutdown(client, SHUT_RDWR);
    turn();
    cr_assert(eq(sz, closed_count, 1));
    http_reply(held, 200, "text/plain", STR("nobody"));
    turn();
}

Test(stream, what_follows_on_its_connection_is_dropped)
{
    int client = connect_one(GET("/s") GET("/hold"));
    cr_assert(eq(ptr, held, NULL));
    cr_assert(write(client, GET("/hold"), 5) == 5);
    turn();
    cr_assert(eq(ptr, held, NULL));
    cr_assert(eq(sz, closed_count, 0));
}

Test(stream, head_gets_the_head_alone)
{
    int client = connect_one("HEAD /s HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert(strstr(receive(client), "text/event-stream") != NULL, "%s", answer);
    cr_assert(ended(client));
}

Test(stream, a_client_that_does_not_read_is_cut_at_the_limit)
{
    static char big[400000];
    int client = connect_one(GET("/s"));
    memset(big, 'x', sizeof big);
    size_t sent = 0;
    while (closed_count == 0 && sent < 100) {
        http_stream_send_text(streams[0], (struct str){ big, sizeof big });
        turn();
        sent++;
    }
    cr_assert(sent > 2 && sent < 20, "cut after %zu pieces", sent);
    cr_assert(eq(u64, atomic_load(&counters.streams_cut), 1));
    cr_assert(ended(client));
}

Test(stream, one_piece_larger_than_the_limit_reaches_a_client_that_reads)
{
    static char big[3000000];
    int client = connect_one(GET("/s"));
    (void)receive(client);
    memset(big, 'x', sizeof big);
    http_stream_send_text(streams[0], (struct str){ big, sizeof big });
    size_t got = 0;
    for (int i = 0; i < 10000 && got < sizeof big; i++) {
        got += strlen(receive(client));
        turn();
    }
    cr_assert(eq(sz, got, sizeof big));
    cr_assert(eq(sz, closed_count, 0));
}

Test(stream, draining_ends_all_at_once)
{
    int a = connect_one(GET("/s")), b = connect_one(GET("/channel"));
    http_server_drain(server);
    cr_assert(ended(a));
    cr_assert(ended(b));
    cr_assert(http_server_drained(server));
}

Test(stream, everybody_is_pinged_once_in_thirty_ticks)
{
    enum { N = 45 };
    size_t pings = 0;
    for (size_t i = 0; i < N; i++)
        (void)connect_one(GET("/s"));
    for (size_t i = 0; i < N; i++)
        (void)receive(clients[i]);
    for (int tick = 0; tick < STREAM_PING_SECONDS; tick++) {
        streams_tick(server);
        cr_assert(server->streams.pings_due <= 2, "spread over the seconds");
        turn();
    }
    for (size_t i = 0; i < N; i++) {
        cr_assert(strncmp(receive(clients[i]), ":\n\n", 3) == 0, "client %zu got no ping", i);
        pings += strlen(answer) / 3;
    }
    cr_assert(le(sz, pings, (size_t)2 * STREAM_PING_SECONDS));
}

Test(stream, a_channel_reaches_all_a_bounded_number_a_turn)
{
    enum { N = 2 * STREAM_TURN_MAX + 10 };
    for (size_t i = 0; i < N; i++)
        (void)connect_one(GET("/channel"));
    for (size_t i = 0; i < N; i++)
        (void)receive(clients[i]);
    http_channel_publish(channel, 7, STR("data: seven\n\n"));
    size_t reached[3] = { 0 };
    for (int k = 0; k < 3; k++) {
        http_server_turn(server);
        for (size_t i = 0; i < N; i++)
            reached[k] += strcmp(receive(clients[i]), "data: seven\n\n") == 0;
    }
    cr_assert(eq(sz, reached[0], STREAM_TURN_MAX));
    cr_assert(eq(sz, reached[1], STREAM_TURN_MAX));
    cr_assert(eq(sz, reached[2], 10));
}

/* Turns, with the rests between walks, until all have the version. */
static void walk_on(size_t n, int64_t version)
{
    for (size_t i = 0; i < n;) {
        if (streams[i]->version == version) {
            i++;
            continue;
        }
        (void)event_base_loop(base, EVLOOP_ONCE);
        http_server_turn(server);
    }
}

Test(stream, publishing_faster_than_the_walk_leaves_nobody_out)
{
    enum { N = 3 * STREAM_TURN_MAX / 2 };
    for (size_t i = 0; i < N; i++)
        (void)connect_one(GET("/channel"));
    for (size_t i = 0; i < N; i++)
        (void)receive(clients[i]);
    for (int version = 1; version <= 4; version++) {
        char text[32];
        (void)snprintf(text, sizeof text, "data: %d\n\n", version);
        http_channel_publish(channel, version, str_of(text));
        http_server_turn(server);
    }
    walk_on(N, 4);
    for (size_t i = 0; i < N; i++) {
        receive(clients[i]);
        cr_assert(strlen(answer) >= 9 && strcmp(answer + strlen(answer) - 9, "data: 4\n\n") == 0, "%zu: %s", i, answer);
    }
}

Test(stream, an_event_of_many_bytes_reaches_few_a_turn)
{
    enum { N = 5, BYTES = STREAM_TURN_BYTES / 2 };
    static char big[BYTES];
    size_t reached = 0;
    memset(big, 'x', sizeof big);
    for (size_t i = 0; i < N; i++)
        (void)connect_one(GET("/channel"));
    http_channel_publish(channel, 9, (struct str){ big, sizeof big });
    http_server_turn(server);
    for (size_t i = 0; i < N; i++)
        reached += streams[i]->version == 9;
    cr_assert(eq(sz, reached, 2));
    walk_on(N, 9);
}

Test(stream, what_a_walk_has_passed_waits_for_a_rest_and_comes)
{
    enum { N = STREAM_TURN_MAX + 20 };
    for (size_t i = 0; i < N; i++)
        (void)connect_one(GET("/channel"));
    http_channel_publish(channel, 1, STR("data: 1\n\n"));
    http_server_turn(server);
    http_channel_publish(channel, 2,
                         STR("data: 2\n\n")); /* most have 1 by now, and this walk does not come back to them */
    http_server_turn(server);
    cr_assert(eq(i64, streams[N - 1]->version, 1));
    cr_assert(eq(i64, streams[0]->version, 2));
    walk_on(N, 2);
}

Test(stream, who_joins_gets_the_newest_state_once)
{
    http_channel_publish(channel, 3, STR("data: three\n\n"));
    int fresh = connect_one(GET("/channel"));
    have = 3;
    int again = connect_one(GET("/channel"));
    have = 2;
    int behind = connect_one(GET("/channel"));
    cr_assert(strstr(receive(fresh), "\r\n\r\ndata: three\n\n") != NULL, "%s", answer);
    cr_assert(strstr(receive(again), "data:") == NULL, "%s", answer);
    cr_assert(strstr(receive(behind), "\r\n\r\ndata: three\n\n") != NULL, "%s", answer);
    cr_assert(eq(sz, http_channel_count(channel), 3));
}

Test(stream, leaving_in_the_middle_of_a_walk_loses_nobody)
{
    enum { N = STREAM_TURN_MAX + 20 };
    for (size_t i = 0; i < N; i++)
        (void)connect_one(GET("/channel"));
    for (size_t i = 0; i < N; i++)
        (void)receive(clients[i]);
    http_channel_publish(channel, 1, STR("data: 1\n\n"));
    http_server_turn(server); /* the newest first: the oldest twenty are left */
    http_stream_close(streams[19]);
    http_stream_close(streams[10]);
    http_server_turn(server);
    http_server_turn(server);
    for (size_t i = 0; i < N; i++) {
        bool left = i == 19 || i == 10;
        cr_assert(left == (strlen(receive(clients[i])) == 0), "client %zu: %s", i, answer);
    }
}
