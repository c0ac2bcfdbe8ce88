/* The listening socket. Each worker binds its own to the same port; the kernel spreads connections over them. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experimentd/http/http.h"

enum { BACKLOG = 4096 };

static bool set_options(int fd)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0; /* inherited by accepted sockets */
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

int http_listen(const char *host, uint16_t port, uint16_t *out_port, struct err *err)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV },
                    *found;
    char service[8];
    (void)snprintf(service, sizeof service, "%u", port);
    int e = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (e != 0) {
        err_set(err, ERR_INVALID, "cannot listen on \"%s\": %s", host, gai_strerror(e));
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && set_options(fd) && bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
              listen(fd, BACKLOG) == 0;
    if (!ok) {
        err_set_errno(err, "cannot listen on %s:%u", host, port);
        if (fd >= 0)
            close(fd);
    }
    freeaddrinfo(found);
    if (!ok)
        return -1;
    *out_port = port_of(fd);
    return fd;
}
