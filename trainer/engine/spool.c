#include "trainer/engine/spool.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"

enum { BLOCK_MIN = 4 << 10 };

/* What stands behind the last block, and behind the index. */
struct end {
    uint32_t zero, crc;
    unsigned char hash[SPOOL_HASH_BYTES];
};
struct index_entry {
    uint64_t offset, bytes;
};
struct index_tail {
    uint32_t parts, crc;
};

static bool cannot_write(struct err *err)
{
    return err_set_errno(err, "cannot write a spool file");
}

/* ---- writing ---- */

size_t spool_block_bytes(uint32_t parts)
{
    size_t share = SPOOL_HELD_BYTES / parts;
    return share > SPOOL_BLOCK_BYTES ? SPOOL_BLOCK_BYTES : share < BLOCK_MIN ? BLOCK_MIN : share;
}

/* A file beside the one that is written, without a name. */
static FILE *open_spill(const char *path)
{
    AUTO(mem_free) char *name = mem_printf("%s.XXXXXX", path);
    int fd = mkstemp(name);
    if (fd < 0)
        return NULL;
    (void)unlink(name);
    return fdopen(fd, "w+e");
}

bool spool_writer_open(struct spool_writer *w, const char *path, uint32_t parts, struct err *err)
{
    *w = (struct spool_writer){ .parts_count = parts };
    if (parts < 1 || parts > SPOOL_PARTS_MAX)
        return err_set(err, ERR_INVALID, "a data set of %u parts: must be 1 to %d", parts, SPOOL_PARTS_MAX);
    w->block_bytes = spool_block_bytes(parts);
    w->file = fopen(path, "we");
    if (!w->file || (parts > 1 && !(w->spill = open_spill(path)))) {
        err_set_errno(err, "cannot write spool file \"%s\"", path);
        if (w->file)
            (void)fclose(w->file);
        w->file = NULL;
        return false;
    }
    (void)crypto_generichash_init(&w->hash, NULL, 0, SPOOL_HASH_BYTES);
    w->parts = mem_zalloc(parts * sizeof *w->parts);
    for (uint32_t p = 0; p < parts; p++) {
        buf_init(&w->parts[p].block, SPOOL_BLOCK_MAX);
        buf_init(&w->parts[p].held, SPOOL_HELD_BYTES + 2 * SPOOL_BLOCK_MAX);
    }
    return true;
}

static bool put(struct spool_writer *w, const void *p, size_t n, struct err *err)
{
    w->at += n;
    return fwrite(p, 1, n, w->file) == n || cannot_write(err);
}

/* A whole block, at its place in the file. */
static bool put_block(struct spool_writer *w, struct str block, struct err *err)
{
    uint32_t head[2] = { (uint32_t)block.n, hash_crc32c(0, block.p, block.n) };
    (void)crypto_generichash_update(&w->hash, (const unsigned char *)block.p, block.n);
    return put(w, head, sizeof head, err) && put(w, block.p, block.n, err);
}

/* What is held of all parts makes room. */
static bool spill(struct spool_writer *w, struct err *err)
{
    for (uint32_t p = 0; p < w->parts_count; p++) {
        struct spool_part *part = &w->parts[p];
        if (part->held.n == 0)
            continue;
        if (w->runs_count == w->runs_room) {
            w->runs_room = w->runs_room ? w->runs_room * 2 : 64;
            w->runs = mem_realloc(w->runs, w->runs_room * sizeof *w->runs);
        }
        w->runs[w->runs_count++] = (struct spool_run){ p, w->spilled, part->held.n };
        if (fwrite(part->held.p, 1, part->held.n, w->spill) != part->held.n)
            return cannot_write(err);
        w->spilled += part->held.n;
        buf_clear(&part->held);
    }
    w->held = 0;
    return true;
}

static bool end_block(struct spool_writer *w, struct spool_part *part, struct err *err)
{
    struct buf *b = &part->block;
    uint32_t n = (uint32_t)b->n;
    bool ok = true;
    if (n == 0)
        return true;
    if (w->parts_count == 1) {
        ok = put_block(w, buf_str(b), err);
    } else {
        buf_add(&part->held, &n, sizeof n);
        buf_add_str(&part->held, buf_str(b));
        w->held += sizeof n + n;
        ok = buf_ok(&part->held, "a part of a data set", err) && (w->held < SPOOL_HELD_BYTES || spill(w, err));
    }
    buf_clear(b);
    return ok;
}

bool spool_write(struct spool_writer *w, uint32_t part, struct str record, struct err *err)
{
    if (part >= w->parts_count)
        return err_set(err, ERR_INVALID, "a record for part %u of a data set of %u", part, w->parts_count);
    struct buf *b = &w->parts[part].block;
    buf_add_str(b, record);
    if (!buf_ok(b, "a record of the spool", err))
        return false;
    return b->n < w->block_bytes || end_block(w, &w->parts[part], err);
}

/* Held blocks: u32 length, bytes. */
static bool put_held(struct spool_writer *w, struct str held, struct err *err)
{
    while (held.n) {
        uint32_t n;
        memcpy(&n, held.p, sizeof n);
        if (!put_block(w, (struct str){ held.p + sizeof n, n }, err))
            return false;
        held = (struct str){ held.p + sizeof n + n, held.n - sizeof n - n };
    }
    return true;
}

static bool put_run(struct spool_writer *w, const struct spool_run *run, struct buf *scratch, struct err *err)
{
    buf_clear(scratch);
    char *to = buf_reserve(scratch, run->bytes);
    if (!to || fseeko(w->spill, (off_t)run->offset, SEEK_SET) != 0 || fread(to, 1, run->bytes, w->spill) != run->bytes)
        return err_set_errno(err, "cannot read what a spool file was spilled to");
    return put_held(w, (struct str){ to, run->bytes }, err);
}

static int by_part(const void *a, const void *b)
{
    const struct spool_run *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool put_parts(struct spool_writer *w, struct err *err)
{
    AUTO(buf_release) struct buf scratch;
    size_t run = 0;
    bool ok = true;
    buf_init(&scratch, SPOOL_HELD_BYTES + 2 * SPOOL_BLOCK_MAX);
    if (w->runs_count)
        qsort(w->runs, w->runs_count, sizeof *w->runs, by_part);
    for (uint32_t p = 0; ok && p < w->parts_count; p++) {
        struct spool_part *part = &w->parts[p];
        part->offset = w->at;
        for (; ok && run < w->runs_count && w->runs[run].part == p; run++)
            ok = put_run(w, &w->runs[run], &scratch, err);
        ok = ok && put_held(w, buf_str(&part->held), err);
        part->bytes = w->at - part->offset;
    }
    return ok;
}

static bool put_index(struct spool_writer *w, struct err *err)
{
    struct index_tail tail = { w->parts_count, 0 };
    for (uint32_t p = 0; p < w->parts_count; p++) {
        struct index_entry e = { w->parts[p].offset, w->parts[p].bytes };
        tail.crc = hash_crc32c(tail.crc, &e, sizeof e);
        if (!put(w, &e, sizeof e, err))
            return false;
    }
    tail.crc = hash_crc32c(tail.crc, &tail.parts, sizeof tail.parts);
    return put(w, &tail, sizeof tail, err);
}

static bool put_end(struct spool_writer *w, struct err *err)
{
    struct end e = { 0 };
    (void)crypto_generichash_final(&w->hash, e.hash, sizeof e.hash);
    e.crc = hash_crc32c(0, e.hash, sizeof e.hash);
    return put(w, &e, sizeof e, err);
}

static void release_writer(struct spool_writer *w)
{
    for (uint32_t p = 0; p < w->parts_count; p++) {
        buf_release(&w->parts[p].block);
        buf_release(&w->parts[p].held);
    }
    mem_free(w->parts);
    mem_free(w->runs);
    if (w->spill)
        (void)fclose(w->spill);
    *w = (struct spool_writer){ 0 };
}

bool spool_writer_close(struct spool_writer *w, struct err *err)
{
    bool ok = true;
    for (uint32_t p = 0; ok && p < w->parts_count; p++)
        ok = end_block(w, &w->parts[p], err);
    if (ok && w->parts_count > 1)
        ok = put_parts(w, err) && put_index(w, err);
    ok = ok && put_end(w, err);
    if (fclose(w->file) != 0 && ok)
        ok = cannot_write(err);
    release_writer(w);
    return ok;
}

/* ---- reading ---- */

static bool damaged(const char *path, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "spool file \"%s\" is damaged", path);
}

/* Where the index begins, or -1. */
static off_t index_at(FILE *f, uint32_t parts)
{
    off_t back = (off_t)(parts * sizeof(struct index_entry) + sizeof(struct index_tail) + sizeof(struct end));
    if (fseeko(f, 0, SEEK_END) != 0 || ftello(f) < back)
        return -1;
    return ftello(f) - back;
}

/* Part `part` of what a whole index says; the parts lie one behind the other before it. */
static bool read_index(FILE *f, uint32_t part, uint32_t parts, struct index_entry *out)
{
    struct index_tail tail;
    uint32_t crc = 0;
    uint64_t at = 0;
    off_t begin = index_at(f, parts);
    if (begin < 0 || fseeko(f, begin, SEEK_SET) != 0)
        return false;
    for (uint32_t p = 0; p < parts; p++) {
        struct index_entry e;
        if (fread(&e, sizeof e, 1, f) != 1 || e.offset != at || e.bytes > (uint64_t)begin - at)
            return false;
        crc = hash_crc32c(crc, &e, sizeof e);
        at += e.bytes;
        if (p == part)
            *out = e;
    }
    return at == (uint64_t)begin && fread(&tail, sizeof tail, 1, f) == 1 && tail.parts == parts &&
           tail.crc == hash_crc32c(crc, &tail.parts, sizeof tail.parts);
}

bool spool_reader_open(struct spool_reader *r, const char *path, uint32_t part, uint32_t parts, struct err *err)
{
    struct index_entry e = { 0, 0 };
    buf_init(&r->block, SPOOL_BLOCK_MAX);
    r->path = path;
    r->whole = parts == 1;
    r->file = fopen(path, "re");
    if (!r->file)
        return err_set_errno(err, "cannot read spool file \"%s\"", path);
    if (parts < 1 || parts > SPOOL_PARTS_MAX || part >= parts ||
        (!r->whole && (!read_index(r->file, part, parts, &e) || fseeko(r->file, (off_t)e.offset, SEEK_SET) != 0))) {
        spool_reader_close(r);
        return damaged(path, err);
    }
    r->left = e.bytes;
    return true;
}

static bool ends(FILE *f, uint32_t crc)
{
    unsigned char hash[SPOOL_HASH_BYTES];
    return fread(hash, sizeof hash, 1, f) == 1 && hash_crc32c(0, hash, sizeof hash) == crc;
}

bool spool_read(struct spool_reader *r, struct str *out_block, bool *out_end, struct err *err)
{
    uint32_t head[2];
    *out_end = !r->whole && r->left == 0;
    if (*out_end)
        return true;
    buf_clear(&r->block);
    size_t n = fread(head, 1, sizeof head, r->file);
    *out_end = r->whole && n == sizeof head && head[0] == 0 && ends(r->file, head[1]);
    if (*out_end)
        return true;
    if (n != sizeof head || head[0] == 0 || (!r->whole && r->left < sizeof head + head[0]))
        return damaged(r->path, err);
    char *to = buf_reserve(&r->block, head[0]);
    if (!to || fread(to, 1, head[0], r->file) != head[0] || hash_crc32c(0, to, head[0]) != head[1])
        return damaged(r->path, err);
    r->left -= r->whole ? 0 : sizeof head + head[0];
    r->block.n = head[0];
    *out_block = buf_str(&r->block);
    return true;
}

void spool_reader_close(struct spool_reader *r)
{
    if (r->file)
        (void)fclose(r->file);
    buf_release(&r->block);
    r->file = NULL;
}

bool spool_whole(const char *path, uint32_t parts, unsigned char out_hash[SPOOL_HASH_BYTES])
{
    struct end e;
    struct index_entry entry;
    FILE *f = fopen(path, "re");
    bool ok = f && fseek(f, -(long)sizeof e, SEEK_END) == 0 && fread(&e, sizeof e, 1, f) == 1 && e.zero == 0 &&
              hash_crc32c(0, e.hash, sizeof e.hash) == e.crc && (parts == 1 || read_index(f, 0, parts, &entry));
    if (ok)
        memcpy(out_hash, e.hash, sizeof e.hash);
    if (f)
        (void)fclose(f);
    return ok;
}
