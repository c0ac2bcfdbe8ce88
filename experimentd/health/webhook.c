#include "experimentd/health/webhook.h"

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { HTTP_PORT = 80, PATH_MAX_BYTES = 2000 };

struct message {
    struct message *next;
    char *json; /* owned */
    unsigned tries;
    webhook_done_fn done;
    void *arg;
};

struct webhook {
    struct event_base *base;
    struct evdns_base *dns;
    struct evhttp_uri *uri;
    const char *secret;
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

static void finish_head(struct webhook *w, bool arrived)
{
    struct message *m = w->head;
    if (m->done)
        m->done(m->arg, arrived, m->tries);
    drop_head(w);
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
        finish_head(w, true);
        wait_for_timer(w, 0);
        return;
    }
    log_warn("webhook_failed", "status=%d try=%u", status, m->tries);
    int64_t after = INT64_C(1) << m->tries;
    if (m->tries >= WEBHOOK_TRIES) {
        log_error("webhook_lost", "message=%s", m->json);
        finish_head(w, false);
        after = 0;
    }
    wait_for_timer(w, after);
}

bool webhook_read_secret(const char *path, char **out, struct err *err)
{
    char line[WEBHOOK_SECRET_MAX + 2] = "";
    *out = NULL;
    if (!path || !*path)
        return true;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set_errno(err, "cannot read the webhooks' secret from \"%s\"", path);
    bool read = fgets(line, sizeof line, f) != NULL;
    (void)fclose(f);
    struct str secret = str_trim(str_of(line));
    if (!read || secret.n < 16 || secret.n > WEBHOOK_SECRET_MAX)
        return err_set(err, ERR_INVALID, "the webhooks' secret in \"%s\" has not 16 to %d bytes", path,
                       WEBHOOK_SECRET_MAX);
    *out = mem_strndup(secret.p, secret.n);
    return true;
}

static void sign(const struct webhook *w, const char *json, struct evkeyvalq *headers)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char at[24], text[2 * EVP_MAX_MD_SIZE + 40];
    if (!w->secret)
        return;
    (void)snprintf(at, sizeof at, "%lld", (long long)(clock_now_us() / US_PER_SECOND));
    AUTO(mem_free) char *signed_text = mem_printf("%s.%s", at, json);
    (void)HMAC(EVP_sha256(), w->secret, (int)strlen(w->secret), (const unsigned char *)signed_text, strlen(signed_text),
               mac, &n);
    int length = snprintf(text, sizeof text, "t=%s,v1=", at);
    for (unsigned i = 0; i < n; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%02x", mac[i]);
    (void)evhttp_add_header(headers, "X-Experimentd-Signature", text);
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
    sign(w, w->head->json, headers);
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
        return err_set(err, ERR_INVALID, "\"%.200s\" is no http:// address", url);
    return make_path(w, err);
}

bool webhook_is_address(struct str url, size_t max)
{
    struct evhttp_uri *uri = url.n <= max ? evhttp_uri_parse(url.p) : NULL;
    const char *scheme = uri ? evhttp_uri_get_scheme(uri) : NULL, *host = uri ? evhttp_uri_get_host(uri) : NULL;
    bool ok = scheme && strcmp(scheme, "http") == 0 && host && *host && !evhttp_uri_get_userinfo(uri);
    if (uri)
        evhttp_uri_free(uri);
    return ok;
}

struct webhook *webhook_new(struct event_base *base, const char *url, const char *secret, struct err *err)
{
    struct webhook *w = mem_zalloc(sizeof *w);
    w->base = base;
    w->secret = secret;
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

size_t webhook_waiting(const struct webhook *w)
{
    return w->waiting;
}

void webhook_post(struct webhook *w, struct str json, webhook_done_fn done, void *arg)
{
    if (w->waiting == WEBHOOK_WAITING_MAX) {
        log_error("webhook_lost", "message=" STR_FMT " reason=\"%d wait already\"", STR_ARG(json), WEBHOOK_WAITING_MAX);
        if (done)
            done(arg, false, 0);
        return;
    }
    struct message *m = mem_zalloc(sizeof *m);
    m->json = mem_strndup(json.p, json.n);
    m->done = done;
    m->arg = arg;
    *w->tail = m;
    w->tail = &m->next;
    if (w->waiting++ == 0 && !w->conn)
        wait_for_timer(w, 0);
}
