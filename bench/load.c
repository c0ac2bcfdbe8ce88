/* load HOST PORT KEY REQUESTS CONNECTIONS RATE SECONDS: POSTs at a fixed rate, whatever the server does.
 *
 * Request i is due at start + i / RATE. It goes out on the first connection that is idle then or later, and its latency counts from when it was
 * due: a server that stalls does not make the generator ask less (no coordinated omission). RATE 0: as fast as the connections allow, latency from
 * when it went out. REQUESTS: a line each, target, tab, body; round and round. Prints one JSON object. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, REQUESTS_MAX = 1 << 16, SAMPLES_MAX = 1 << 22, ANSWER_MAX = 1 << 17, EVENTS = 64 };
static const int64_t ns_per_s = 1000000000;

struct connection {
    int fd;
    bool busy;
    int64_t due_ns;
    size_t n; /* of the answer so far */
    char answer[ANSWER_MAX];
};

struct load {
    struct connection *connections, *idle[CONNECTIONS_MAX];
    int connections_count, idle_count, epoll;
    char *requests[REQUESTS_MAX];
    size_t lengths[REQUESTS_MAX], requests_count;
    double rate;
    int64_t start_ns, end_ns;
    int64_t sent, refused;
    uint32_t *latencies_us;
    size_t done;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * ns_per_s + t.tv_nsec;
}

/* ---- before ---- */

static void read_requests(struct load *l, const char *path, const char *host, const char *key)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    if (!f)
        die(path);
    while ((n = getline(&line, &room, f)) > 0 && l->requests_count < REQUESTS_MAX) {
        char *tab = strchr(line, '\t');
        if (!tab)
            continue;
        line[n - 1] = *tab = '\0';
        int length = asprintf(
            &l->requests[l->requests_count],
            "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            line, host, key, strlen(tab + 1), tab + 1);
        if (length < 0)
            die("memory");
        l->lengths[l->requests_count++] = (size_t)length;
    }
    free(line);
    (void)fclose(f);
    if (!l->requests_count)
        die("no requests");
}

static void open_connections(struct load *l, const char *host, const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
    int one = 1;
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
        die(host);
    l->epoll = epoll_create1(0);
    for (int i = 0; i < l->connections_count; i++) {
        struct connection *c = &l->connections[i];
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0)
            die("connect");
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
            die("epoll_ctl");
        l->idle[l->idle_count++] = c;
    }
}

/* ---- the run ---- */

static int64_t due_of(const struct load *l, int64_t i)
{
    return l->rate > 0 ? l->start_ns + (int64_t)((double)i * 1e9 / l->rate) : 0;
}

static void send_due(struct load *l, int64_t now)
{
    while (l->idle_count && now < l->end_ns && due_of(l, l->sent) <= now) {
        struct connection *c = l->idle[--l->idle_count];
        size_t i = (size_t)l->sent % l->requests_count;
        c->due_ns = l->rate > 0 ? due_of(l, l->sent) : now;
        c->busy = true;
        c->n = 0;
        l->sent++;
        if (send(c->fd, l->requests[i], l->lengths[i], MSG_NOSIGNAL) != (ssize_t)l->lengths[i])
            die("send");
    }
}

/* The length of the whole answer, or 0 when its head is not there yet. */
static size_t answer_length(const struct connection *c)
{
    const char *end = memmem(c->answer, c->n, "\r\n\r\n", 4), *field = memmem(c->answer, c->n, "Content-Length: ", 16);
    if (!end)
        return 0;
    if (!field)
        die("an answer without Content-Length");
    return (size_t)(end + 4 - c->answer) + strtoul(field + 16, NULL, 10);
}

static void on_readable(struct load *l, struct connection *c)
{
    ssize_t n = recv(c->fd, c->answer + c->n, sizeof c->answer - c->n, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("the server closed a connection");
    c->n += (size_t)n;
    size_t length = answer_length(c);
    if (!c->busy || length == 0 || c->n < length)
        return;
    if (memcmp(c->answer, "HTTP/1.1 200", 12) != 0)
        l->refused++;
    c->busy = false;
    l->idle[l->idle_count++] = c;
    if (l->done < SAMPLES_MAX)
        l->latencies_us[l->done++] = (uint32_t)((now_ns() - c->due_ns) / 1000);
}

static void run(struct load *l, double seconds)
{
    struct epoll_event events[EVENTS];
    l->start_ns = now_ns();
    l->end_ns = l->start_ns + (int64_t)(seconds * 1e9);
    for (;;) {
        int64_t now = now_ns(), wait;
        send_due(l, now);
        if (now >= l->end_ns + 10 * ns_per_s || (now >= l->end_ns && l->idle_count == l->connections_count))
            return;
        wait = l->idle_count && now < l->end_ns ? due_of(l, l->sent) - now : ns_per_s / 10;
        struct timespec timeout = { .tv_sec = 0, .tv_nsec = wait < 0 ? 0 : wait < ns_per_s ? wait : ns_per_s - 1 };
        int n = epoll_pwait2(l->epoll, events, EVENTS, &timeout, NULL);
        for (int i = 0; i < n; i++)
            on_readable(l, events[i].data.ptr);
    }
}

/* ---- after ---- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t percentile(const struct load *l, double part)
{
    return l->done ? l->latencies_us[(size_t)(part * (double)(l->done - 1))] : 0;
}

static void report(struct load *l, double seconds)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    qsort(l->latencies_us, l->done, sizeof *l->latencies_us, by_size);
    (void)printf(
        "{\"done\":%zu,\"refused\":%lld,\"rate\":%.0f,\"p50\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u,\"cpu\":%.2f}\n",
        l->done, (long long)l->refused, (double)l->done / seconds, percentile(l, 0.5), percentile(l, 0.99),
        percentile(l, 0.999), percentile(l, 1), cpu);
}

int main(int argc, char **argv)
{
    static struct load l;
    if (argc != 8) {
        (void)fprintf(stderr, "load HOST PORT KEY REQUESTS CONNECTIONS RATE SECONDS\n");
        return 64;
    }
    double seconds = strtod(argv[7], NULL);
    l.rate = strtod(argv[6], NULL);
    l.connections_count = (int)strtol(argv[5], NULL, 10);
    if (l.connections_count < 1 || l.connections_count > CONNECTIONS_MAX)
        die("connections");
    l.connections = calloc((size_t)l.connections_count, sizeof *l.connections);
    l.latencies_us = calloc(SAMPLES_MAX, sizeof *l.latencies_us);
    if (!l.connections || !l.latencies_us)
        die("memory");
    read_requests(&l, argv[4], argv[1], argv[3]);
    open_connections(&l, argv[1], argv[2]);
    run(&l, seconds);
    report(&l, seconds);
    return 0;
}
