/* gzip bodies: inflated whole, up to the limit of the output. */
#define ZLIB_CONST
#include <zlib.h>

#include "experimentd/http/conn.h"

enum { STEP_BYTES = 64 << 10, GZIP_WINDOW = 15 + 16 };

bool gzip_inflate(struct str in, struct buf *out, struct err *err)
{
    z_stream z = { .next_in = (const Bytef *)in.p, .avail_in = (uInt)in.n };
    int r = inflateInit2(&z, GZIP_WINDOW);
    while (r == Z_OK && !out->failed) {
        size_t room = out->limit_bytes - out->n;
        char *to = buf_reserve(out, room < STEP_BYTES ? (room ? room : 1) : STEP_BYTES);
        if (!to)
            break;
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)(room < STEP_BYTES ? room : STEP_BYTES);
        uInt before = z.avail_out;
        r = inflate(&z, Z_NO_FLUSH);
        out->n += before - z.avail_out;
        if (r == Z_OK && z.avail_in == 0 && z.avail_out != 0)
            r = Z_BUF_ERROR; /* the input ends before the stream does */
    }
    (void)inflateEnd(&z);
    if (out->failed)
        return err_set(err, ERR_TOO_LARGE, "the body is larger than %zu bytes when decompressed", out->limit_bytes);
    if (r != Z_STREAM_END || z.avail_in != 0)
        return err_set(err, ERR_INVALID, "the body is not a whole gzip stream");
    if (out->p)
        out->p[out->n] = '\0';
    return true;
}
