/* Files that splits leave, as they are and with their checksums mended, as files of one part and of several; and the results beside them. Whatever is
 * read, a record of the part before the part's end, no byte twice. The first byte says how many parts. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "trainer/engine/spool.h"
#include "trainer/engine/store.h"

enum { PARTS = 5, FILE_MAX = 1 << 16, END_BYTES = 8 + SPOOL_HASH_BYTES, ENTRY_BYTES = 16, TAIL_BYTES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void put(int fd, const char *bytes, size_t n)
{
    if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, n, 0) != (ssize_t)n)
        abort();
}

/* Returns how many bytes the part has. */
static size_t read_part(const char *path, uint32_t part, uint32_t parts)
{
    struct spool_reader r;
    struct str block;
    bool end = false;
    size_t bytes = 0;
    if (!spool_reader_open(&r, path, part, parts, NULL))
        return 0;
    while (spool_read(&r, &block, &end, NULL) && !end)
        bytes += block.n + 8;
    spool_reader_close(&r);
    return bytes;
}

static void read_all(const char *path, uint32_t parts, size_t n)
{
    unsigned char hash[SPOOL_HASH_BYTES];
    size_t bytes = 0;
    (void)spool_whole(path, parts, hash);
    for (uint32_t p = 0; p < parts; p++)
        bytes += read_part(path, p, parts);
    if (bytes > n)
        abort();
}

static void set32(char *at, uint32_t v)
{
    memcpy(at, &v, sizeof v);
}

/* Blocks as long as they say, then index and end. */
static void mend(char *file, size_t n, uint32_t parts)
{
    size_t tail = END_BYTES + (parts > 1 ? TAIL_BYTES + parts * ENTRY_BYTES : 0);
    if (n < tail)
        return;
    for (size_t at = 0; at + 8 <= n - tail;) {
        uint32_t size;
        memcpy(&size, file + at, sizeof size);
        if (size > n - tail - at - 8)
            break;
        set32(file + at + 4, hash_crc32c(0, file + at + 8, size));
        at += 8 + (size_t)size;
    }
    char *end = file + n - END_BYTES;
    set32(end, 0);
    set32(end + 4, hash_crc32c(0, end + 8, SPOOL_HASH_BYTES));
    if (parts == 1)
        return;
    set32(end - 8, parts);
    set32(end - 4, hash_crc32c(0, file + n - tail, parts * ENTRY_BYTES + 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    static char path[32], file[FILE_MAX];
    AUTO(buf_release) struct buf result;
    uint64_t rows;
    if (fd < 0) {
        fd = memfd_create("spool", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || n < 1 || n > FILE_MAX)
        return 0;
    uint32_t parts = data[0] % PARTS + 1;
    n--;
    memcpy(file, data + 1, n);
    put(fd, file, n);
    read_all(path, parts, n);
    buf_init(&result, FILE_MAX);
    if (store_read_result(path, &rows, &result) && result.n >= n)
        abort();
    mend(file, n, parts);
    put(fd, file, n);
    read_all(path, parts, n);
    return 0;
}
