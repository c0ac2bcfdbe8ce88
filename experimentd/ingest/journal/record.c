#include "experimentd/ingest/journal/record.h"

#include <assert.h>

#include "base/hash.h"

enum { FLAG_CLIENT_ID = 1, FLAG_UNIT_IS_USER = 2, FLAG_MARK_SHIFT = 2, FLAG_MARK_MASK = 7 };
static_assert(MARK_COUNT <= FLAG_MARK_MASK + 1, "a mark has three bits");

static void put_text(struct buf *b, struct str s)
{
    uint32_t n = s.p ? (uint32_t)s.n : UINT32_MAX;
    buf_add(b, &n, sizeof n);
    if (s.p)
        buf_add(b, s.p, s.n);
}

/* Leaves room for the head, whose checksum is filled in at the end. */
static size_t begin(struct buf *b)
{
    static const char zeros[RECORD_HEAD_BYTES];
    size_t at = b->n;
    buf_add(b, zeros, sizeof zeros);
    return at;
}

static void end(struct buf *b, size_t at, enum record_type type)
{
    if (b->failed)
        return;
    char *head = b->p + at;
    uint32_t length = (uint32_t)(b->n - at - RECORD_HEAD_BYTES);
    head[8] = (char)type;
    uint32_t crc = hash_crc32c(0, head + 8, length + 4);
    memcpy(head, &length, sizeof length);
    memcpy(head + 4, &crc, sizeof crc);
}

static char flags(bool client_id, bool unit_is_user, enum mark mark)
{
    return (char)((client_id ? FLAG_CLIENT_ID : 0) | (unit_is_user ? FLAG_UNIT_IS_USER : 0) |
                  (int)mark << FLAG_MARK_SHIFT);
}

void record_write_signal(struct buf *b, const struct signal *s)
{
    size_t at = begin(b);
    buf_add(b, s->id, sizeof s->id);
    buf_add_byte(b, flags(s->client_id, s->unit_is_user, s->mark));
    buf_add(b, &s->at_us, sizeof s->at_us);
    buf_add(b, &s->received_us, sizeof s->received_us);
    buf_add(b, &s->position, sizeof s->position);
    buf_add(b, &s->value, sizeof s->value);
    put_text(b, s->type);
    put_text(b, s->unit);
    put_text(b, s->user);
    put_text(b, s->session);
    put_text(b, s->query_id);
    put_text(b, s->query);
    put_text(b, s->doc);
    put_text(b, s->params);
    end(b, at, RECORD_SIGNAL);
}

void record_write_exposure(struct buf *b, const struct exposure *e)
{
    size_t at = begin(b);
    buf_add(b, &e->at_us, sizeof e->at_us);
    buf_add_byte(b, flags(false, e->unit_is_user, e->mark));
    put_text(b, e->experiment);
    put_text(b, e->variant);
    put_text(b, e->unit);
    put_text(b, e->dims);
    end(b, at, RECORD_EXPOSURE);
}

enum record_state record_read(struct str bytes, enum record_type *out_type, struct str *out_payload, size_t *out_size)
{
    uint32_t length, crc;
    *out_size = 0;
    if (bytes.n < RECORD_HEAD_BYTES)
        return RECORD_SHORT;
    memcpy(&length, bytes.p, sizeof length);
    memcpy(&crc, bytes.p + 4, sizeof crc);
    unsigned char type = (unsigned char)bytes.p[8];
    if (length == 0 && crc == 0 && type == RECORD_NONE)
        return RECORD_END;
    if (length == 0 || length > RECORD_BYTES_MAX)
        return RECORD_BAD;
    if (bytes.n < RECORD_HEAD_BYTES + (size_t)length)
        return RECORD_SHORT;
    *out_size = RECORD_HEAD_BYTES + (size_t)length;
    if (hash_crc32c(0, bytes.p + 8, length + 4) != crc || type == RECORD_NONE || type >= RECORD_TYPE_COUNT)
        return RECORD_BAD;
    *out_type = (enum record_type)type;
    *out_payload = (struct str){ bytes.p + RECORD_HEAD_BYTES, length };
    return RECORD_WHOLE;
}

static bool take(struct str *in, void *out, size_t n)
{
    if (in->n < n)
        return false;
    memcpy(out, in->p, n);
    in->p += n;
    in->n -= n;
    return true;
}

static bool take_text(struct str *in, struct str *out)
{
    uint32_t n;
    *out = (struct str){ NULL, 0 };
    if (!take(in, &n, sizeof n))
        return false;
    if (n == UINT32_MAX)
        return true;
    if (in->n < n)
        return false;
    *out = (struct str){ in->p, n };
    in->p += n;
    in->n -= n;
    return true;
}

static enum mark mark_in(char flag)
{
    return (enum mark)((unsigned char)flag >> FLAG_MARK_SHIFT & FLAG_MARK_MASK);
}

bool record_parse_signal(struct str payload, struct signal *out)
{
    struct str in = payload;
    char flag;
    if (!take(&in, out->id, sizeof out->id) || !take(&in, &flag, 1) || !take(&in, &out->at_us, sizeof out->at_us) ||
        !take(&in, &out->received_us, sizeof out->received_us) || !take(&in, &out->position, sizeof out->position) ||
        !take(&in, &out->value, sizeof out->value))
        return false;
    out->client_id = flag & FLAG_CLIENT_ID;
    out->unit_is_user = flag & FLAG_UNIT_IS_USER;
    out->mark = mark_in(flag);
    out->client = (struct details){ 0 };
    return take_text(&in, &out->type) && take_text(&in, &out->unit) && take_text(&in, &out->user) &&
           take_text(&in, &out->session) && take_text(&in, &out->query_id) && take_text(&in, &out->query) &&
           take_text(&in, &out->doc) && take_text(&in, &out->params) && in.n == 0;
}

bool record_parse_exposure(struct str payload, struct exposure *out)
{
    struct str in = payload;
    char flag;
    if (!take(&in, &out->at_us, sizeof out->at_us) || !take(&in, &flag, 1))
        return false;
    out->unit_is_user = flag & FLAG_UNIT_IS_USER;
    out->mark = mark_in(flag);
    out->attributes = out->dims = (struct str){ NULL, 0 };
    return take_text(&in, &out->experiment) && take_text(&in, &out->variant) && take_text(&in, &out->unit) &&
           (in.n == 0 || take_text(&in, &out->dims)) && in.n == 0;
}
