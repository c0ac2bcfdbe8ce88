#include "experimentd/config/publish_wait.h"

#include "base/clock.h"
#include "base/mem.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/worker.h"

enum { WAIT_MAX_US = 5000000 };

struct publish_wait {
    struct publish_wait *next;
    struct http_request *req;
    int64_t version, since_us;
    publish_wait_fn fn;
    void *arg;
};

void publish_wait_add(struct worker *w, struct http_request *req, int64_t version, publish_wait_fn fn, void *arg)
{
    struct publish_wait *p = arena_alloc(&req->arena, sizeof *p);
    *p = (struct publish_wait){
        .next = w->publish_waits, .req = req, .version = version, .since_us = clock_mono_us(), .fn = fn, .arg = arg
    };
    w->publish_waits = p;
}

static void answer(struct worker *w, bool all)
{
    const struct snapshot *s = snapshot_get();
    int64_t now = clock_mono_us();
    struct publish_wait **at = &w->publish_waits;
    while (*at) {
        struct publish_wait *p = *at;
        if (all || (s && s->version >= p->version) || now - p->since_us > WAIT_MAX_US) {
            *at = p->next;
            p->fn(p->req, p->arg); /* p lives in the request's arena: not touched again */
        } else {
            at = &p->next;
        }
    }
}

void publish_wait_turn(struct worker *w)
{
    if (w->publish_waits)
        answer(w, false);
}

void publish_wait_drop(struct worker *w)
{
    answer(w, true);
}
