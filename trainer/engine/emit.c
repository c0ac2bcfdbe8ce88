#include "trainer/engine/emit.h"

#include "trainer/engine/spool.h"
#include "trainer/engine/wire.h"

bool emit_open(struct emit *e, uint32_t parts, struct err *err)
{
    if (parts < 1 || parts > SPOOL_PARTS_MAX)
        return err_set(err, ERR_INVALID, "a data set of %u parts: must be 1 to %d", parts, SPOOL_PARTS_MAX);
    *e = (struct emit){ mem_zalloc(parts * sizeof *e->parts), parts, spool_block_bytes(parts) };
    for (uint32_t p = 0; p < parts; p++)
        buf_init(&e->parts[p].block, SPOOL_BLOCK_MAX);
    return true;
}

static bool send(struct emit *e, uint32_t part, struct err *err)
{
    struct emit_part *p = &e->parts[part];
    if (p->block.n && !wire_say(FRAME_EMIT, part, p->seq++, buf_str(&p->block)))
        return err_set(err, ERR_CONFLICT, "the coordinator has gone");
    buf_clear(&p->block);
    return true;
}

/* A block is sent before a record would make it too large, so that only single records are larger than a block. */
bool emit_write(struct emit *e, uint32_t part, struct str record, struct err *err)
{
    if (part >= e->parts_count)
        return err_set(err, ERR_INVALID, "a record for part %u of a data set of %u", part, e->parts_count);
    struct buf *b = &e->parts[part].block;
    if (b->n + record.n > e->block_bytes && !send(e, part, err))
        return false;
    buf_add_str(b, record);
    return buf_ok(b, "a record of the data set", err);
}

bool emit_end(struct emit *e, struct err *err)
{
    bool ok = true;
    for (uint32_t p = 0; ok && p < e->parts_count; p++)
        ok = send(e, p, err);
    return ok;
}

void emit_release(struct emit *e)
{
    for (uint32_t p = 0; e->parts && p < e->parts_count; p++)
        buf_release(&e->parts[p].block);
    mem_free(e->parts);
    *e = (struct emit){ 0 };
}
