#include "trainer/engine/spool.h"

#include "base/hash.h"

bool spool_writer_open(struct spool_writer *w, const char *path, struct err *err)
{
    buf_init(&w->block, SPOOL_BLOCK_MAX);
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
    buf_clear(&w->block);
    return true;
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
    bool ok = flush(w, err);
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

bool spool_read(struct spool_reader *r, struct str *out_block, bool *out_end, struct err *err)
{
    uint32_t head[2];
    buf_clear(&r->block);
    size_t n = fread(head, 1, sizeof head, r->file);
    *out_end = n == 0 && feof(r->file);
    if (*out_end)
        return true;
    char *to = n == sizeof head ? buf_reserve(&r->block, head[0]) : NULL;
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
