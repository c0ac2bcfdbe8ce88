#include "experimentd/front/feeds.h"

#include <assert.h>

#include "base/buf.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/http/stream.h"

enum { EVENT_BYTES_MAX = 256 << 20 };

struct feeds {
    struct http_channel *channels[FEED_COUNT];
    struct http_piece *hello; /* how long clients wait before they come again */
};

struct feeds *feeds_new(struct http_server *http)
{
    struct feeds *f = mem_zalloc(sizeof *f);
    for (int i = 0; i < FEED_COUNT; i++)
        f->channels[i] = http_channel_new(http);
    f->hello = http_piece_new(STR("retry: 10000\n\n"));
    return f;
}

void feeds_free(struct feeds *f)
{
    if (!f)
        return;
    for (int i = 0; i < FEED_COUNT; i++)
        http_channel_free(f->channels[i]);
    http_piece_release(f->hello);
    mem_free(f);
}

/* A line break inside the data would end it: each line gets its own "data:", and the client joins them again. */
static void add_data(struct buf *b, struct str data)
{
    struct str line;
    while (str_split(&data, '\n', &line)) {
        buf_add_c(b, "data: ");
        buf_add_str(b, line);
        buf_add_byte(b, '\n');
    }
}

static void write_features(struct buf *b, const struct snapshot *s)
{
    buf_add_c(b, "event: features\n");
    add_data(b, snapshot_body(s));
}

static void write_updated(struct buf *b, const struct snapshot *s)
{
    (void)s;
    buf_add_c(b, "event: features-updated\ndata: \n");
}

static void write_refetch(struct buf *b, const struct snapshot *s)
{
    buf_add_c(b, "event: message\ndata: {\"type\":\"refetchEvaluation\",\"etag\":");
    buf_add_json_str(b, s->payload_etag);
    buf_add_c(b, "}\n");
}

static void (*const writers[])(struct buf *, const struct snapshot *) = {
    [FEED_FEATURES] = write_features,
    [FEED_UPDATED] = write_updated,
    [FEED_REFETCH] = write_refetch,
};
static_assert(sizeof writers / sizeof *writers == FEED_COUNT, "an event for every feed");

static void publish(struct feeds *f, int which, const struct snapshot *s)
{
    struct buf b;
    if (http_channel_version(f->channels[which]) == s->payload_version)
        return;
    buf_init(&b, EVENT_BYTES_MAX);
    buf_addf(&b, "id: %lld\n", (long long)s->payload_version);
    writers[which](&b, s);
    buf_add_byte(&b, '\n');
    http_channel_publish(f->channels[which], s->payload_version, buf_str(&b));
    buf_release(&b);
}

void feeds_turn(struct feeds *f)
{
    const struct snapshot *s = snapshot_get();
    for (int i = 0; s && i < FEED_COUNT; i++)
        if (http_channel_count(f->channels[i]))
            publish(f, i, s);
}

void feeds_answer(struct feeds *f, enum feed which, struct http_request *req)
{
    int64_t has;
    if (!parse_i64(http_header(req, STR("last-event-id")), &has, NULL))
        has = -1;
    publish(f, (int)which, snapshot_get());
    http_reply_header(req, STR("Cache-Control"), STR("no-cache, no-transform"));
    http_reply_header(req, STR("X-Accel-Buffering"),
                      STR("no")); /* nginx would keep events back until its buffer is full */
    struct http_stream *st = http_stream_begin(req, "text/event-stream", NULL, NULL);
    http_stream_send(st, f->hello);
    http_channel_join(f->channels[which], st, has);
}
