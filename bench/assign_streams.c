/* assign_streams HOST PORT PATH COUNT: holds COUNT streams of server-sent events and says when each event has reached all of them.
 *
 * Prints "open" when every stream has its first event, then "VERSION NANOSECONDS" (CLOCK_MONOTONIC) when every stream has got an event whose id
 * is VERSION or higher: a stream may skip states, the newest is what counts. At the end of its stdin it prints "bytes N" (received) and
 * "cpu SECONDS", and ends. */
#include <arpa/inet.h>
#include <errno.h>
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

enum { VERSIONS_MAX = 1 << 16, LINE_MAX_ = 24, PIECE = 1 << 18, EVENTS = 256, OPENING_MAX = 128 };

/* Of a line only the start is kept: enough for "id: NUMBER". */
struct stream {
    int fd;
    bool seen;             /* its first event */
    int64_t version, next; /* of the event that came, of the one that is coming */
    unsigned n;
    char line[LINE_MAX_];
};

struct holder {
    struct stream *streams;
    size_t count, opened, seen;
    int epoll;
    struct sockaddr_in to;
    const char *path;
    uint32_t reached[VERSIONS_MAX]; /* by version: how many streams have it, or a higher one */
    uint64_t bytes;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "assign_streams: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_one(struct holder *h)
{
    struct stream *s = &h->streams[h->opened++];
    char head[512];
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&h->to, sizeof h->to) != 0)
        die("connect");
    int n = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n", h->path);
    if (n < 0 || send(s->fd, head, (size_t)n, MSG_NOSIGNAL) != n)
        die("send");
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = s };
    if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, s->fd, &event) != 0)
        die("epoll_ctl");
}

static void all_have(int64_t version)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    (void)printf("%lld %lld\n", (long long)version, (long long)t.tv_sec * 1000000000 + t.tv_nsec);
    (void)fflush(stdout);
}

/* The blank line behind an event. */
static void on_event(struct holder *h, struct stream *s)
{
    if (s->next <= s->version || s->next >= VERSIONS_MAX)
        return;
    for (int64_t v = s->seen ? s->version + 1 : 0; v <= s->next; v++)
        if (++h->reached[v] == h->count && s->seen)
            all_have(v);
    s->version = s->next;
    h->seen += !s->seen;
    if (!s->seen && h->seen == h->count) {
        (void)puts("open");
        (void)fflush(stdout);
    }
    s->seen = true;
}

static void on_line(struct holder *h, struct stream *s)
{
    s->line[s->n < LINE_MAX_ ? s->n : LINE_MAX_ - 1] = '\0';
    if (strncmp(s->line, "id: ", 4) == 0)
        s->next = strtoll(s->line + 4, NULL, 10);
    else if (s->n == 0)
        on_event(h, s);
    s->n = 0;
}

static void on_readable(struct holder *h, struct stream *s, char *piece)
{
    ssize_t n = recv(s->fd, piece, PIECE, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("the server closed a stream");
    h->bytes += (uint64_t)n;
    for (const char *p = piece, *end = piece + n; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t part = (size_t)((stop ? stop : end) - p), room = LINE_MAX_ - 1 - s->n;
        memcpy(s->line + s->n, p, part < room ? part : room);
        s->n += (unsigned)(part < room ? part : room);
        p += part + 1;
        if (stop)
            on_line(h, s);
    }
}

static void hold(struct holder *h)
{
    static char piece[PIECE];
    struct epoll_event events[EVENTS], input = { .events = EPOLLIN, .data.ptr = NULL };
    if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) != 0)
        die("epoll_ctl");
    for (;;) {
        while (h->opened < h->count && h->opened - h->seen < OPENING_MAX)
            open_one(h);
        int n = epoll_wait(h->epoll, events, EVENTS, 1000);
        for (int i = 0; i < n; i++) {
            if (!events[i].data.ptr)
                return;
            on_readable(h, events[i].data.ptr, piece);
        }
    }
}

int main(int argc, char **argv)
{
    static struct holder h;
    struct rusage used;
    struct rlimit limit;
    if (argc != 5 || inet_pton(AF_INET, argv[1], &h.to.sin_addr) != 1) {
        (void)fprintf(stderr, "assign_streams HOST PORT PATH COUNT\n");
        return 64;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    h.to.sin_family = AF_INET;
    h.to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    h.path = argv[3];
    h.count = strtoul(argv[4], NULL, 10);
    h.streams = calloc(h.count, sizeof *h.streams);
    h.epoll = epoll_create1(0);
    if (!h.streams || h.epoll < 0)
        die("memory");
    hold(&h);
    (void)getrusage(RUSAGE_SELF, &used);
    (void)printf("bytes %llu\ncpu %.2f\n", (unsigned long long)h.bytes,
                 (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
