#include "experimentd/health/webhook.h"

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>

#include "base/log.h"
#include "base/mem.h"

enum { HTTP_PORT = 80, PATH_MAX_BYTES = 2000 };

struct message {
    struct message *next;
    char *json; /* owned */
    unsigned tries;
};

struct webhook {
    struct event_base *base;
    struct evdns_base *dns;
    struct evhttp_uri *uri;
    char path[PATH_MAX_BYTES];
    struct evhttp_connection *conn; /* of the message at the head, while it is under way */
    struct event *timer;            /* of the next try */
    struct message *head, **tail;
    size_t waiting;
};

static void send_head(struct webhook *w);

static void drop_head(struct webhook *w)
{
    struct message *m = w->head;
    w->head = m->next;
    if (!w->head)
        w->tail = &w->head;
    w->waiting--;
    mem_free(m->json);
    mem_free(m);
}

static void wait_for_timer(struct webhook *w, int64_t seconds)
{
    const struct timeval t = { .tv_sec = seconds };
    (void)event_add(w->timer, &t);
}

/* The connection is let go in the timer's turn: this is called from inside it. */
static void on_answer(struct evhttp_request *req, void *arg)
{
    struct webhook *w = arg;
    struct message *m = w->head;
    int status = req ? evhttp_request_get_response_code(req) : 0;
    if (status >= 200 && status < 300) {
        drop_head(w);
        wait_for_timer(w, 0);
        return;
    }
    log_warn("webhook_failed", "status=%d try=%u", status, m->tries);
    int64_t after = INT64_C(1) << m->tries;
    if (m->tries >= WEBHOOK_TRIES) {
        log_error("webhook_lost", "message=%s", m->json);
        drop_head(w);
        after = 0;
    }
    wait_for_timer(w, after);
}

static void send_head(struct webhook *w)
{
    int port = evhttp_uri_get_port(w->uri);
    const char *host = evhttp_uri_get_host(w->uri);
    w->head->tries++;
    w->conn = evhttp_connection_base_new(w->base, w->dns, host, (ev_uint16_t)(port > 0 ? port : HTTP_PORT));
    struct evhttp_request *req = w->conn ? evhttp_request_new(on_answer, w) : NULL;
    if (!req) {
        on_answer(NULL, w);
        return;
    }
    evhttp_connection_set_timeout(w->conn, WEBHOOK_TIMEOUT_S);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    (void)evhttp_add_header(headers, "Host", host);
    (void)evhttp_add_header(headers, "Content-Type", "application/json");
    (void)evhttp_add_header(headers, "Connection", "close");
    (void)evbuffer_add(evhttp_request_get_output_buffer(req), w->head->json, strlen(w->head->json));
    if (evhttp_make_request(w->conn, req, EVHTTP_REQ_POST, w->path) != 0)
        on_answer(NULL, w);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct webhook *w = arg;
    (void)fd;
    (void)what;
    if (w->conn)
        evhttp_connection_free(w->conn);
    w->conn = NULL;
    if (w->head)
        send_head(w);
}

/* The address without its host: "/" when it has no path. */
static bool make_path(struct webhook *w, struct err *err)
{
    const char *path = evhttp_uri_get_path(w->uri), *query = evhttp_uri_get_query(w->uri);
    int n = snprintf(w->path, sizeof w->path, "%s%s%s", path && *path ? path : "/", query ? "?" : "",
                     query ? query : "");
    return (n > 0 && (size_t)n < sizeof w->path) || err_set(err, ERR_INVALID, "its path is too long");
}

static bool open_uri(struct webhook *w, const char *url, struct err *err)
{
    w->uri = evhttp_uri_parse(url);
    const char *scheme = w->uri ? evhttp_uri_get_scheme(w->uri) : NULL,
               *host = w->uri ? evhttp_uri_get_host(w->uri) : NULL;
    if (!scheme || strcmp(scheme, "http") != 0 || !host || !*host)
        return err_set(err, ERR_INVALID, "setting \"alarm.webhook\" is \"%.200s\", no http:// address", url);
    return make_path(w, err);
}

struct webhook *webhook_new(struct event_base *base, const char *url, struct err *err)
{
    struct webhook *w = mem_zalloc(sizeof *w);
    w->base = base;
    w->tail = &w->head;
    if (!open_uri(w, url, err)) {
        webhook_free(w);
        return NULL;
    }
    w->dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    w->timer = event_new(base, -1, 0, on_timer, w);
    return w;
}

void webhook_free(struct webhook *w)
{
    if (!w)
        return;
    if (w->timer)
        event_free(w->timer);
    if (w->conn)
        evhttp_connection_free(w->conn);
    if (w->dns)
        evdns_base_free(w->dns, 0);
    if (w->uri)
        evhttp_uri_free(w->uri);
    while (w->head)
        drop_head(w);
    mem_free(w);
}

void webhook_post(struct webhook *w, struct str json)
{
    if (w->waiting == WEBHOOK_WAITING_MAX) {
        log_error("webhook_lost", "message=" STR_FMT " reason=\"%d wait already\"", STR_ARG(json), WEBHOOK_WAITING_MAX);
        return;
    }
    struct message *m = mem_zalloc(sizeof *m);
    m->json = mem_strndup(json.p, json.n);
    *w->tail = m;
    w->tail = &m->next;
    if (w->waiting++ == 0 && !w->conn)
        wait_for_timer(w, 0);
}
