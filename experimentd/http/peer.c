/* Who is at the other end of a request's connection. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "experimentd/http/conn.h"

bool http_peer(const struct http_request *req, struct net_address *out)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } from = { .v6 = { 0 } };
    socklen_t n = sizeof from;
    char text[NET_TEXT_MAX];
    if (req->conn->gone || getpeername(req->conn->fd, &from.any, &n) != 0)
        return false;
    const void *bytes = from.any.sa_family == AF_INET ? (const void *)&from.v4.sin_addr : &from.v6.sin6_addr;
    return inet_ntop(from.any.sa_family, bytes, text, sizeof text) && net_parse(str_of(text), out);
}
