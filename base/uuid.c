#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "base/pg.h"

enum { POOL_BYTES = 256 }; /* what getrandom(2) never cuts short */

/* Eight random bytes; a system call for each id would cost a signal as much as a tenth of all the rest. A child that a fork makes and that
 * goes on without exec has its parent's pool: here there is none. */
static void random_eight(unsigned char *out)
{
    static _Thread_local unsigned char pool[POOL_BYTES];
    static _Thread_local size_t used = POOL_BYTES;
    if (used == POOL_BYTES) {
        ssize_t n = getrandom(pool, POOL_BYTES, 0);
        assert(n == POOL_BYTES);
        used = 0;
    }
    memcpy(out, pool + used, 8);
    used += 8;
}

/* RFC 9562, 5.7 with method 3 of 6.2: 48 bits of milliseconds, then the microseconds as the 12 bits of rand_a (1000 µs
 * spread over 4096 steps), then 62 random bits. Ids of one process so sort by time down to the microsecond. */
void uuid_v7(unsigned char out[16], int64_t at_us)
{
    uint64_t ms = (uint64_t)at_us / 1000, fraction = (uint64_t)at_us % 1000 * 4096 / 1000;
    random_eight(out + 8);
    for (int i = 0; i < 6; i++)
        out[i] = (unsigned char)(ms >> (40 - 8 * i));
    out[6] = (unsigned char)(0x70 | fraction >> 8);
    out[7] = (unsigned char)fraction;
    out[8] = (unsigned char)((out[8] & 0x3f) | 0x80);
}

static bool dash_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(const unsigned char id[16], char text[UUID_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    char *to = text;
    for (size_t i = 0; i < 16; i++) {
        if (dash_before(i))
            *to++ = '-';
        *to++ = digits[id[i] >> 4];
        *to++ = digits[id[i] & 15];
    }
    *to = '\0';
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool uuid_parse(struct str s, unsigned char out[16])
{
    unsigned char id[16];
    if (s.n != UUID_TEXT_MAX - 1)
        return false;
    const char *from = s.p;
    for (size_t i = 0; i < 16; i++) {
        if (dash_before(i) && *from++ != '-')
            return false;
        int high = hex(*from++), low = hex(*from++);
        if (high < 0 || low < 0)
            return false;
        id[i] = (unsigned char)(high << 4 | low);
    }
    memcpy(out, id, sizeof id);
    return true;
}
