#include "archive/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { COPY_BYTES = 1 << 20, NAME_HEX = 2 * (KEPT_PROGRAM_BYTES + KEPT_KEY_BYTES) };

static char *folder_of(const char *dir)
{
    return mem_printf("%s/kept", dir);
}

bool kept_make(const char *dir, struct err *err)
{
    AUTO(mem_free) char *folder = folder_of(dir);
    return mkdir(folder, 0700) == 0 || errno == EEXIST || err_set_errno(err, "cannot make folder \"%s\"", folder);
}

static void put_hex(char *to, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
    to[2 * n] = '\0';
}

char *kept_path(const char *dir, const struct kept_name *name)
{
    char day[CLOCK_TEXT_MAX], program[2 * KEPT_PROGRAM_BYTES + 1], key[2 * KEPT_KEY_BYTES + 1];
    put_hex(program, name->program, KEPT_PROGRAM_BYTES);
    put_hex(key, name->key, KEPT_KEY_BYTES);
    return mem_printf("%s/kept/%s_%u-%u.%s.%s", dir, clock_format_day(name->day, day), name->lo, name->hi, program,
                      key);
}

/* ---- adding ---- */

static bool copy_bytes(FILE *in, FILE *out)
{
    char *piece = mem_alloc(COPY_BYTES);
    size_t n;
    bool ok = true;
    while (ok && (n = fread(piece, 1, COPY_BYTES, in)) > 0)
        ok = fwrite(piece, 1, n, out) == n;
    mem_free(piece);
    return ok && !ferror(in) && fflush(out) == 0;
}

static bool copy(const char *from, const char *to, struct err *err)
{
    AUTO(mem_free) char *part = mem_printf("%s.%d", to, (int)getpid());
    FILE *in = fopen(from, "re"), *out = in ? fopen(part, "we") : NULL;
    bool ok = out && copy_bytes(in, out);
    if (in)
        (void)fclose(in);
    if (out)
        ok = fclose(out) == 0 && ok;
    if (ok && rename(part, to) == 0)
        return true;
    (void)err_set_errno(err, "cannot keep \"%s\"", to);
    (void)unlink(part);
    return false;
}

bool kept_add(const char *from, const char *to, struct err *err)
{
    if (link(from, to) == 0 || errno == EEXIST)
        return true;
    return errno == EXDEV || errno == EPERM || errno == EMLINK ? copy(from, to, err)
                                                               : err_set_errno(err, "cannot keep \"%s\"", to);
}

void kept_use(const char *path)
{
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

/* ---- removing ---- */

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return true;
}

/* What a file's name says; false: it is none of ours, or one that was never finished. */
static bool read_name(const char *name, struct str *day, unsigned *lo, unsigned *hi, struct str *program)
{
    struct str rest = str_of(name), low, high, key;
    uint32_t from, to;
    if (!str_split(&rest, '_', day) || !str_split(&rest, '-', &low) || !str_split(&rest, '.', &high) ||
        !str_split(&rest, '.', program) || !parse_u32(low, &from, NULL) || !parse_u32(high, &to, NULL))
        return false;
    key = rest;
    *lo = from;
    *hi = to;
    return program->n == (size_t)2 * KEPT_PROGRAM_BYTES && key.n == (size_t)2 * KEPT_KEY_BYTES && is_hex(*program) &&
           is_hex(key);
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static bool is_forgotten(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && clock_now_us() - s.st_mtim.tv_sec * US_PER_SECOND > KEPT_FORGET_US;
}

static bool is_between(struct str day, const struct kept_used *u)
{
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    (void)clock_format_day(u->from, from);
    (void)clock_format_day(u->to, to);
    return day.n == strlen(from) && memcmp(day.p, from, day.n) >= 0 && memcmp(day.p, to, day.n) <= 0;
}

uint64_t kept_sweep(const char *dir, const struct kept_used *used)
{
    AUTO(mem_free) char *folder = folder_of(dir);
    char mine[2 * KEPT_PROGRAM_BYTES + 1];
    uint64_t removed = 0;
    put_hex(mine, used->program, KEPT_PROGRAM_BYTES);
    DIR *d = opendir(folder);
    for (struct dirent *f; d && (f = readdir(d));) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", folder, f->d_name);
        const char *key = path;
        unsigned lo, hi;
        struct str day, of;
        if (f->d_name[0] == '.')
            continue;
        bool ours = read_name(f->d_name, &day, &lo, &hi, &of) && str_eq_c(of, mine) && is_between(day, used);
        if (ours ? !bsearch(&key, used->paths, used->count, sizeof *used->paths, by_text) : is_forgotten(path))
            removed += unlink(path) == 0;
    }
    if (d)
        (void)closedir(d);
    return removed;
}

bool kept_drop(const char *dir, int bucket, uint64_t *out_removed, struct err *err)
{
    AUTO(mem_free) char *folder = folder_of(dir);
    DIR *d = opendir(folder);
    bool ok = d || errno == ENOENT || err_set_errno(err, "cannot read folder \"%s\"", folder);
    *out_removed = 0;
    for (struct dirent *f; d && (f = readdir(d));) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", folder, f->d_name);
        unsigned lo, hi;
        struct str day, of;
        if (f->d_name[0] == '.' || (bucket >= 0 && read_name(f->d_name, &day, &lo, &hi, &of) &&
                                    ((unsigned)bucket < lo || (unsigned)bucket > hi)))
            continue; /* what was never finished goes, too: nobody is at it now */
        if (unlink(path) != 0 && errno != ENOENT && ok)
            ok = err_set_errno(err, "cannot remove \"%s\"", path);
        else
            ++*out_removed;
    }
    if (d) {
        (void)fsync(dirfd(d));
        (void)closedir(d);
    }
    return ok;
}
