#include "model/artifact.h"

#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, HEAD_BYTES = 64, ENTRY_BYTES = ARTIFACT_NAME + 16, KIND_AT = 24 };
static_assert(ARTIFACT_HASH == crypto_generichash_BYTES, "BLAKE2b-256");

static bool is_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
            return false;
    return n > 0 && n < ARTIFACT_NAME;
}

bool artifact_is_digest(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'f') || (s.p[i] >= '0' && s.p[i] <= '9')))
            return false;
    return s.n == ARTIFACT_DIGEST - 1;
}

static void digest_of(struct str bytes, unsigned char out[ARTIFACT_HASH])
{
    int started = sodium_init(); /* chooses the fastest implementation; any thread may, as often as it likes */
    assert(started >= 0);
    (void)crypto_generichash(out, ARTIFACT_HASH, (const unsigned char *)bytes.p, bytes.n, NULL, 0);
}

/* ---- writing ---- */

void artifact_begin(struct artifact_out *o, const char *kind)
{
    *o = (struct artifact_out){ .kind = kind };
    assert(is_name(kind, strlen(kind)));
}

void artifact_add(struct artifact_out *o, const char *section, struct str bytes)
{
    assert(is_name(section, strlen(section)));
    assert(o->sections_count < ARTIFACT_SECTIONS_MAX);
    for (size_t i = 0; i < o->sections_count; i++)
        assert(strcmp(o->names[i], section) != 0);
    o->names[o->sections_count] = section;
    o->sections[o->sections_count++] = bytes;
}

static size_t aligned(size_t n)
{
    return (n + ARTIFACT_ALIGN - 1) / ARTIFACT_ALIGN * ARTIFACT_ALIGN;
}

static void put_u32(struct buf *b, uint32_t v)
{
    v = htole32(v);
    buf_add(b, &v, sizeof v);
}

static void put_u64(struct buf *b, uint64_t v)
{
    v = htole64(v);
    buf_add(b, &v, sizeof v);
}

static void put_name(struct buf *b, const char *name)
{
    char padded[ARTIFACT_NAME] = "";
    memcpy(padded, name, strlen(name));
    buf_add(b, padded, sizeof padded);
}

static void put_zeros(struct buf *b, size_t n)
{
    static const char zeros[ARTIFACT_ALIGN];
    assert(n <= sizeof zeros);
    buf_add(b, zeros, n);
}

static size_t head_bytes(size_t sections)
{
    return aligned(HEAD_BYTES + sections * ENTRY_BYTES);
}

static void put_head(const struct artifact_out *o, struct buf *b)
{
    size_t at = head_bytes(o->sections_count), end = at;
    for (size_t i = 0; i < o->sections_count; i++)
        end = aligned(end) + o->sections[i].n;
    buf_add(b, ARTIFACT_MAGIC, strlen(ARTIFACT_MAGIC));
    put_u32(b, VERSION);
    put_u32(b, (uint32_t)o->sections_count);
    put_u64(b, end + ARTIFACT_HASH);
    put_name(b, o->kind);
    put_zeros(b, HEAD_BYTES - KIND_AT - ARTIFACT_NAME);
    for (size_t i = 0; i < o->sections_count; i++) {
        put_name(b, o->names[i]);
        put_u64(b, at);
        put_u64(b, o->sections[i].n);
        at = aligned(at + o->sections[i].n);
    }
}

bool artifact_end(struct artifact_out *o, struct buf *out_file, char out_digest[ARTIFACT_DIGEST], struct err *err)
{
    unsigned char hash[ARTIFACT_HASH];
    assert(out_file->n == 0);
    put_head(o, out_file);
    for (size_t i = 0; i < o->sections_count; i++) {
        put_zeros(out_file, aligned(out_file->n) - out_file->n);
        buf_add_str(out_file, o->sections[i]);
    }
    if (!o->sections_count)
        put_zeros(out_file, aligned(out_file->n) - out_file->n);
    digest_of(buf_str(out_file), hash);
    buf_add(out_file, hash, sizeof hash);
    if (!buf_ok(out_file, "the artifact", err))
        return false;
    (void)sodium_bin2hex(out_digest, ARTIFACT_DIGEST, hash, sizeof hash);
    return true;
}

/* ---- reading ---- */

static uint32_t u32_at(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return le32toh(v);
}

static uint64_t u64_at(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

static bool name_at(const char *p, char out[ARTIFACT_NAME])
{
    memcpy(out, p, ARTIFACT_NAME);
    return memchr(p, 0, ARTIFACT_NAME) && is_name(out, strlen(out));
}

static const char *entry_at(const struct artifact *a, size_t i)
{
    return a->bytes.p + HEAD_BYTES + i * ENTRY_BYTES;
}

static bool head_read(struct artifact *a, struct err *err)
{
    struct str b = a->bytes;
    size_t magic = strlen(ARTIFACT_MAGIC);
    if (b.n < magic || memcmp(b.p, ARTIFACT_MAGIC, magic) != 0)
        return err_set(err, ERR_INVALID, "artifact: it does not begin with \"" ARTIFACT_MAGIC "\"");
    if (b.n < HEAD_BYTES + ARTIFACT_HASH)
        return err_set(err, ERR_INVALID, "artifact is truncated: %zu bytes are less than its head", b.n);
    if (u32_at(b.p + 8) != VERSION)
        return err_set(err, ERR_INVALID, "artifact has version %u, known is %d", u32_at(b.p + 8), VERSION);
    uint64_t size = u64_at(b.p + 16);
    if (size > b.n)
        return err_set(err, ERR_INVALID, "artifact is truncated: it has %zu of %llu bytes", b.n,
                       (unsigned long long)size);
    if (size < b.n)
        return err_set(err, ERR_INVALID, "artifact has %zu bytes, %llu are its own", b.n, (unsigned long long)size);
    a->sections_count = u32_at(b.p + 12);
    if (a->sections_count > ARTIFACT_SECTIONS_MAX || head_bytes(a->sections_count) > b.n - ARTIFACT_HASH)
        return err_set(err, ERR_INVALID, "artifact: it cannot have %zu sections", a->sections_count);
    return name_at(b.p + KIND_AT, a->kind) || err_set(err, ERR_INVALID, "artifact: its kind is not a name");
}

static bool section_read(const struct artifact *a, size_t i, struct err *err)
{
    const char *entry = entry_at(a, i);
    char name[ARTIFACT_NAME], other[ARTIFACT_NAME];
    if (!name_at(entry, name))
        return err_set(err, ERR_INVALID, "artifact: section %zu has no name", i);
    uint64_t offset = u64_at(entry + ARTIFACT_NAME), n = u64_at(entry + ARTIFACT_NAME + 8);
    uint64_t end = a->bytes.n - ARTIFACT_HASH;
    if (offset % ARTIFACT_ALIGN || offset < head_bytes(a->sections_count) || offset > end || n > end - offset)
        return err_set(err, ERR_INVALID, "artifact: section \"%s\" lies outside of it", name);
    for (size_t k = 0; k < i; k++)
        if (name_at(entry_at(a, k), other) && strcmp(name, other) == 0)
            return err_set(err, ERR_INVALID, "artifact: section \"%s\" stands twice", name);
    return true;
}

static bool digest_read(struct artifact *a, struct err *err)
{
    unsigned char hash[ARTIFACT_HASH];
    char computed[ARTIFACT_DIGEST];
    struct str body = { a->bytes.p, a->bytes.n - ARTIFACT_HASH };
    (void)sodium_bin2hex(a->digest, ARTIFACT_DIGEST, (const unsigned char *)body.p + body.n, ARTIFACT_HASH);
    digest_of(body, hash);
    (void)sodium_bin2hex(computed, sizeof computed, hash, sizeof hash);
    if (strcmp(computed, a->digest) != 0)
        return err_set(err, ERR_INVALID, "artifact is damaged: its bytes have checksum %.16s…, it says %.16s…",
                       computed, a->digest);
    return true;
}

bool artifact_read(struct str bytes, struct artifact *out, struct err *err)
{
    struct artifact a = { .bytes = bytes };
    if (!head_read(&a, err))
        return false;
    for (size_t i = 0; i < a.sections_count; i++)
        if (!section_read(&a, i, err))
            return false;
    if (!digest_read(&a, err))
        return false;
    *out = a;
    return true;
}

struct str artifact_section_at(const struct artifact *a, size_t i, char out_name[ARTIFACT_NAME])
{
    const char *entry = entry_at(a, i);
    memcpy(out_name, entry, ARTIFACT_NAME);
    return (struct str){ a->bytes.p + u64_at(entry + ARTIFACT_NAME), u64_at(entry + ARTIFACT_NAME + 8) };
}

struct str artifact_section(const struct artifact *a, const char *name)
{
    char other[ARTIFACT_NAME];
    for (size_t i = 0; i < a->sections_count; i++) {
        struct str bytes = artifact_section_at(a, i, other);
        if (strcmp(name, other) == 0)
            return bytes;
    }
    return (struct str){ NULL, 0 };
}

/* ---- mapping ---- */

static bool map_file(const char *path, struct str *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "cannot open artifact \"%s\"", path);
    bool known = fstat(fd, &st) == 0 && st.st_size > 0;
    void *p = known ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    (void)close(fd);
    if (p == MAP_FAILED)
        return err_set(err, ERR_INVALID, "artifact \"%s\" is empty or cannot be mapped", path);
    *out = (struct str){ p, (size_t)st.st_size };
    return true;
}

bool artifact_map(const char *path, const char *digest, struct artifact *out, struct err *err)
{
    struct artifact a = { .sections_count = 0 };
    if (!map_file(path, &a.bytes, err))
        return false;
    struct str bytes = a.bytes;
    bool ok = artifact_read(bytes, &a, err);
    if (ok && strcmp(a.digest, digest) != 0)
        ok = err_set(err, ERR_INVALID, "artifact has checksum %.16s…, expected is %.16s…", a.digest, digest);
    if (!ok) {
        (void)munmap((void *)(uintptr_t)bytes.p, bytes.n);
        return err_prefix(err, "\"%s\": ", path);
    }
    *out = a;
    return true;
}

void artifact_unmap(struct artifact *a)
{
    if (a->bytes.p)
        (void)munmap((void *)(uintptr_t)a->bytes.p, a->bytes.n);
    a->bytes = (struct str){ NULL, 0 };
}
