#include "trainer/engine/spool.h"

#include "base/hash.h"

/* What stands behind the last block. */
struct end {
    uint32_t zero, crc;
    unsigned char hash[SPOOL_HASH_BYTES];
};

bool spool_writer_open(struct spool_writer *w, const char *path, struct err *err)
{
    buf_init(&w->block, SPOOL_BLOCK_MAX);
    (void)crypto_generichash_init(&w->hash, NULL, 0, SPOOL_HASH_BYTES);
    w->file = fopen(path, "we");
    return w->file || err_set_errno(err, "cannot write spool file \"%s\"", path);
}

static bool flush(struct spool_writer *w, struct err *err)
{
    uint32_t head[2] = { (uint32_t)w->block.n, hash_crc32c(0, w->block.p, w->block.n) };
    if (w->block.n == 0)
        return true;
    if (fwrite(head, sizeof head, 1, w->file) != 1 || fwrite(w->block.p, 1, w->block.n, w->file) != w->block.n)
        return err_set_errno(err, "cannot write a spool file");
    (void)crypto_generichash_update(&w->hash, (const unsigned char *)w->block.p, w->block.n);
    buf_clear(&w->block);
    return true;
}

static bool write_end(struct spool_writer *w, struct err *err)
{
    struct end e = { 0 };
    (void)crypto_generichash_final(&w->hash, e.hash, sizeof e.hash);
    e.crc = hash_crc32c(0, e.hash, sizeof e.hash);
    return fwrite(&e, sizeof e, 1, w->file) == 1 || err_set_errno(err, "cannot write a spool file");
}

bool spool_write(struct spool_writer *w, struct str record, struct err *err)
{
    buf_add_str(&w->block, record);
    if (!buf_ok(&w->block, "a record of the spool", err))
        return false;
    return w->block.n < SPOOL_BLOCK_BYTES || flush(w, err);
}

bool spool_writer_close(struct spool_writer *w, struct err *err)
{
    bool ok = flush(w, err) && write_end(w, err);
    if (fclose(w->file) != 0 && ok)
        ok = err_set_errno(err, "cannot write a spool file");
    buf_release(&w->block);
    w->file = NULL;
    return ok;
}

bool spool_reader_open(struct spool_reader *r, const char *path, struct err *err)
{
    buf_init(&r->block, SPOOL_BLOCK_MAX);
    r->path = path;
    r->file = fopen(path, "re");
    return r->file || err_set_errno(err, "cannot read spool file \"%s\"", path);
}

static bool ends(FILE *f, uint32_t crc)
{
    unsigned char hash[SPOOL_HASH_BYTES];
    return fread(hash, sizeof hash, 1, f) == 1 && hash_crc32c(0, hash, sizeof hash) == crc;
}

bool spool_read(struct spool_reader *r, struct str *out_block, bool *out_end, struct err *err)
{
    uint32_t head[2];
    buf_clear(&r->block);
    size_t n = fread(head, 1, sizeof head, r->file);
    *out_end = n == sizeof head && head[0] == 0 && ends(r->file, head[1]);
    if (*out_end)
        return true;
    char *to = n == sizeof head && head[0] ? buf_reserve(&r->block, head[0]) : NULL;
    if (!to || fread(to, 1, head[0], r->file) != head[0] || hash_crc32c(0, to, head[0]) != head[1])
        return err_set(err, ERR_SYSTEM, "spool file \"%s\" is damaged", r->path);
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

bool spool_whole(const char *path, unsigned char out_hash[SPOOL_HASH_BYTES])
{
    struct end e;
    FILE *f = fopen(path, "re");
    bool ok = f && fseek(f, -(long)sizeof e, SEEK_END) == 0 && fread(&e, sizeof e, 1, f) == 1 && e.zero == 0 &&
              hash_crc32c(0, e.hash, sizeof e.hash) == e.crc;
    if (ok)
        memcpy(out_hash, e.hash, sizeof e.hash);
    if (f)
        (void)fclose(f);
    return ok;
}
