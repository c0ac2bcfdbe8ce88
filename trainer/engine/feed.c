#include "trainer/engine/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/engine/frame.h"

int feed_temporary(const char *dir, struct err *err)
{
    const char *given = getenv("TMPDIR");
    const char *in = dir ? dir : given && *given ? given : "/tmp";
    AUTO(mem_free) char *path = mem_printf("%s/trainer.XXXXXX", in);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, "cannot make a temporary file in \"%s\"", in);
        return -1;
    }
    (void)unlink(path);
    return fd;
}

void feed_init(struct feed *f)
{
    *f = (struct feed){ .fd = -1 };
    buf_init(&f->block, FRAME_PAYLOAD_MAX);
}

void feed_release(struct feed *f)
{
    if (f->fd >= 0)
        close(f->fd);
    mem_free(f->chunks);
    buf_release(&f->block);
    feed_init(f);
}

static bool write_all(int fd, struct str bytes, uint64_t at, struct err *err)
{
    while (bytes.n) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_errno(err, "cannot keep an input in a temporary file");
        bytes = (struct str){ bytes.p + n, bytes.n - (size_t)n };
        at += (uint64_t)n;
    }
    return true;
}

bool feed_add(struct feed *f, uint32_t input, uint32_t seq, struct str chunk, struct err *err)
{
    if (f->fd < 0 && (f->fd = feed_temporary(NULL, err)) < 0)
        return false;
    if (!write_all(f->fd, chunk, f->at, err))
        return false;
    if (f->count == f->room) {
        f->room = f->room ? f->room * 2 : 256;
        f->chunks = mem_realloc(f->chunks, f->room * sizeof *f->chunks);
    }
    f->chunks[f->count++] = (struct feed_chunk){ input, seq, (uint32_t)chunk.n, f->at };
    f->at += chunk.n;
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct feed_chunk *x = a, *y = b;
    if (x->input != y->input)
        return x->input < y->input ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

bool feed_end(struct feed *f, uint32_t count, struct err *err)
{
    if (f->count != count)
        return err_set(err, ERR_SYSTEM, "%zu chunks of the inputs came, %u were sent", f->count, count);
    if (f->count)
        qsort(f->chunks, f->count, sizeof *f->chunks, by_place);
    for (size_t i = 0; i < f->count; i++) {
        const struct feed_chunk *c = &f->chunks[i];
        uint32_t expected = i && f->chunks[i - 1].input == c->input ? f->chunks[i - 1].seq + 1 : 0;
        if (c->seq != expected)
            return err_set(err, ERR_SYSTEM, "input %u: chunk %u came instead of %u", c->input, c->seq, expected);
    }
    return true;
}

static const struct feed_chunk *find(const struct feed *f, uint32_t input, uint32_t seq)
{
    const struct feed_chunk key = { .input = input, .seq = seq };
    return f->count ? bsearch(&key, f->chunks, f->count, sizeof *f->chunks, by_place) : NULL;
}

bool feed_read(struct feed *f, uint32_t input, uint32_t seq, struct str *out_chunk, bool *out_end, struct err *err)
{
    const struct feed_chunk *c = find(f, input, seq);
    *out_end = c == NULL;
    if (!c)
        return true;
    buf_clear(&f->block);
    char *to = buf_reserve(&f->block, c->bytes);
    for (size_t at = 0; to && at < c->bytes;) {
        ssize_t n = pread(f->fd, to + at, c->bytes - at, (off_t)(c->offset + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_errno(err, "cannot read an input from its temporary file");
        at += (size_t)n;
    }
    *out_chunk = (struct str){ to, c->bytes };
    return true;
}
