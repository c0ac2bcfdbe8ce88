/* A connection over a socket pair: the input arrives in pieces, the handler answers at once, later, or with an error. */
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experimentd/http/conn.h"

enum { LATE_MAX = 64 };
static struct http_request *late[LATE_MAX];
static size_t late_count;

static void on_request(struct http_request *req, void *arg)
{
    struct str value;
    (void)arg;
    (void)http_query(req, STR("unit"), &value);
    (void)http_header(req, STR("authorization"));
    if (req->path.n % 3 == 0 && late_count < LATE_MAX)
        late[late_count++] = req;
    else if (req->path.n % 3 == 1)
        http_reply_problem(req, 404, "nothing here");
    else
        http_reply_json(req, 200, req->body.n < 100 ? STR("{}") : req->body);
}

static void answer_late(void)
{
    while (late_count)
        http_reply_json(late[--late_count], 200, STR("{\"late\":true}"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct event_base *base;
    static struct http_counters counters;
    static struct http_server *server;
    int fds[2];
    if (!base) {
        struct http_limits limits = http_limits_default;
        limits.body_bytes = 4096;
        limits.header_bytes = 2048;
        limits.pipeline = 4;
        base = event_base_new();
        server = http_server_new(base, -1, &limits, &counters, on_request, NULL);
    }
    if (n < 1 || n > 60000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return 0;
    (void)conn_new(server, fds[0]);
    size_t piece = 1 + data[0] * 4u;
    for (size_t at = 1; at < n; at += piece) {
        (void)!send(fds[1], data + at, at + piece < n ? piece : n - at, MSG_NOSIGNAL);
        (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        if (at % 2)
            answer_late();
        http_server_turn(server);
        char answers[4096];
        while (read(fds[1], answers, sizeof answers) > 0) {
        }
    }
    close(fds[1]);
    for (int i = 0; i < 3; i++) {
        (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        answer_late();
        http_server_turn(server);
    }
    return 0;
}
