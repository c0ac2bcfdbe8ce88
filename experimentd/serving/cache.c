#include "experimentd/serving/cache.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { KEEP_SECONDS = 86400, ARENA_BYTES = 4096 };

const struct pg_stmt cache_statements[] = {
    [CACHE_ARTIFACT] = { "models_artifact", 1, "select bytes from artifacts where digest = $1" },
    [CACHE_PART] = { "models_part", 2, "select content from artifact_parts where digest = $1 and part = $2::int" },
};
static_assert(COUNT_OF(cache_statements) == CACHE_STMT_COUNT, "a row for every statement");

static bool is_temporary(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static void each_file(struct cache *c, void (*see)(struct cache *c, int dir, const char *name, void *arg), void *arg)
{
    DIR *dir = opendir(c->dir);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.')
            see(c, dirfd(dir), e->d_name, arg);
    (void)closedir(dir);
}

static void remove_temporary(struct cache *c, int dir, const char *name, void *arg)
{
    (void)c;
    (void)arg;
    if (is_temporary(name))
        (void)unlinkat(dir, name, 0);
}

bool cache_open(struct cache *c, const char *data_dir, const _Atomic bool *stop, struct err *err)
{
    c->dir = mem_printf("%s/models", data_dir);
    c->stop = stop;
    if (mkdir(c->dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make directory \"%s\"", c->dir);
    each_file(c, remove_temporary, NULL);
    return true;
}

void cache_release(struct cache *c)
{
    mem_free(TAKE(c->dir));
}

/* ---- mapping ---- */

static struct served *map_file(const char *path, struct str digest, struct str kind, struct err *err)
{
    char name[ARTIFACT_DIGEST];
    struct served *s = mem_zalloc(sizeof *s);
    (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(digest));
    arena_init(&s->arena, ARENA_BYTES);
    s->refs = 1;
    s->kind = serving_kind_of(kind);
    bool mapped = artifact_map(path, name, &s->artifact, err);
    if (mapped && !str_eq_c(kind, s->artifact.kind))
        mapped = err_set(err, ERR_INVALID, "artifact %.12s… is of kind \"%s\", not \"" STR_FMT "\"", name,
                         s->artifact.kind, STR_ARG(str_cut(kind, ARTIFACT_NAME)));
    if (mapped && (!s->kind || (s->view = s->kind->open(&s->artifact, &s->arena, err))))
        return s;
    served_drop(s);
    return NULL;
}

static char *path_of(const struct cache *c, struct str digest, const char *ending)
{
    return mem_printf("%s/" STR_FMT "%s", c->dir, STR_ARG(digest), ending);
}

struct served *cache_map(struct cache *c, struct str digest, struct str kind, struct err *err)
{
    AUTO(mem_free) char *path = path_of(c, digest, "");
    if (!artifact_is_digest(digest)) {
        err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no digest of an artifact",
                STR_ARG(str_cut(digest, ARTIFACT_DIGEST)));
        return NULL;
    }
    if (access(path, F_OK) != 0) {
        err_set(err, ERR_NOT_FOUND, "artifact " STR_FMT " is not in the cache", STR_ARG(digest));
        return NULL;
    }
    return map_file(path, digest, kind, err);
}

/* ---- fetching ---- */

static bool write_whole(int fd, const unsigned char *p, size_t n, const char *path, struct err *err)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_set_errno(err, "cannot write \"%s\"", path);
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* *out_bytes: of this part. */
static bool fetch_part(struct cache *c, struct pg *pg, const char *digest, unsigned part, int fd, const char *path,
                       uint64_t *out_bytes, struct err *err)
{
    char number[16];
    const char *params[] = { digest, number };
    size_t n = 0;
    (void)snprintf(number, sizeof number, "%u", part);
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &cache_statements[CACHE_PART], params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return err_set(err, ERR_INVALID, "artifact %.12s…: part %u is missing in the database", digest, part);
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)PQgetvalue(r, 0, 0), &n);
    bool ok = (n > 0 || err_set(err, ERR_INVALID, "artifact %.12s…: part %u is empty in the database", digest, part)) &&
              write_whole(fd, bytes, n, path, err);
    PQfreemem(bytes);
    atomic_fetch_add_explicit(&c->fetched_bytes, n, memory_order_relaxed);
    *out_bytes = n;
    return ok;
}

static bool fetch_parts(struct cache *c, struct pg *pg, const char *digest, int fd, const char *path, struct err *err)
{
    const char *params[] = { digest };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &cache_statements[CACHE_ARTIFACT], params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return err_set(err, ERR_INVALID, "artifact %.12s… is not in the database", digest);
    uint64_t bytes = (uint64_t)pg_get_i64(r, 0, 0), got = 0, n;
    for (unsigned part = 0; got < bytes; part++, got += n) {
        if (atomic_load(c->stop))
            return err_set(err, ERR_BUSY, "the daemon stops");
        if (!fetch_part(c, pg, digest, part, fd, path, &n, err))
            return false;
    }
    return fsync(fd) == 0 || err_set_errno(err, "cannot write \"%s\"", path);
}

static void sync_dir(const struct cache *c)
{
    int fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static bool put_in_place(const struct cache *c, const char *from, const char *to, struct err *err)
{
    if (rename(from, to) != 0)
        return err_set_errno(err, "cannot rename \"%s\" to \"%s\"", from, to);
    sync_dir(c);
    return true;
}

struct served *cache_fetch(struct cache *c, struct pg *pg, struct str digest, struct str kind, struct err *err)
{
    AUTO(mem_free) char *path = path_of(c, digest, ""), *temporary = path_of(c, digest, ".tmp");
    struct served *s = NULL;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0400);
    if (fd < 0) {
        err_set_errno(err, "cannot write \"%s\"", temporary);
        return NULL;
    }
    AUTO(mem_free) char *name = mem_strndup(digest.p, digest.n);
    bool fetched = fetch_parts(c, pg, name, fd, temporary, err);
    (void)close(fd);
    if (fetched && !(s = map_file(temporary, digest, kind, err)))
        (void)err_prefix(err, "the database's copy: ");
    if (s && !put_in_place(c, temporary, path, err)) {
        served_drop(s);
        s = NULL;
    }
    if (!s)
        (void)unlink(temporary);
    return s;
}

/* ---- what is not needed any more ---- */

struct sweep {
    bool (*keep)(void *arg, struct str digest);
    void *arg;
};

static void sweep_one(struct cache *c, int dir, const char *name, void *arg)
{
    const struct sweep *w = arg;
    struct stat st;
    (void)c;
    if (!artifact_is_digest(str_of(name)))
        return;
    if (w->keep(w->arg, str_of(name)))
        (void)utimensat(dir, name, NULL, 0); /* used until now */
    else if (fstatat(dir, name, &st, 0) == 0 && clock_now_us() / US_PER_SECOND - st.st_mtime > KEEP_SECONDS)
        (void)unlinkat(dir, name, 0);
}

void cache_sweep(struct cache *c, bool (*keep)(void *arg, struct str digest), void *arg)
{
    struct sweep w = { keep, arg };
    each_file(c, sweep_one, &w);
}
