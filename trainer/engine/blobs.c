/* The blobs of a task: files that the worker maps. A blob is named by what it contains; that is checked, for a copy on another host may be cut. A worker
 * checks a file once, not for each of the many splits that read it: it remembers which file it was. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trainer/engine/runtime.h"
#include "trainer/engine/store.h"

static bool was_checked(const struct blob_checks *all, const struct stat *st, const char *hash)
{
    for (unsigned i = 0; i < BLOB_CHECKS; i++) {
        const struct blob_check *c = &all->checks[i];
        if (c->device == st->st_dev && c->inode == st->st_ino && c->bytes == st->st_size &&
            c->changed.tv_sec == st->st_ctim.tv_sec && c->changed.tv_nsec == st->st_ctim.tv_nsec &&
            strcmp(c->hash, hash) == 0)
            return true;
    }
    return false;
}

static bool check(struct blob_checks *all, const struct stat *st, struct str bytes, const char *hash)
{
    if (!hash || strlen(hash) >= BLOB_HASH_MAX)
        return false;
    if (was_checked(all, st, hash))
        return true;
    if (strcmp(store_key_of_bytes(bytes).text, hash) != 0)
        return false;
    struct blob_check *c = &all->checks[all->next++ % BLOB_CHECKS];
    *c = (struct blob_check){ st->st_dev, st->st_ino, st->st_ctim, st->st_size, "" };
    memcpy(c->hash, hash, strlen(hash) + 1);
    return true;
}

static bool map(const char *path, uint64_t bytes, struct stat *out_st, struct str *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "cannot read blob \"%s\"", path);
    bool ok = fstat(fd, &st) == 0 && (uint64_t)st.st_size == bytes;
    void *p = ok && bytes ? mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    close(fd);
    if (!ok)
        return err_set(err, ERR_SYSTEM, "blob \"%s\" does not have its %llu bytes", path, (unsigned long long)bytes);
    if (p == MAP_FAILED)
        return err_set_errno(err, "cannot map blob \"%s\"", path);
    *out = (struct str){ p ? p : "", bytes };
    *out_st = st;
    return true;
}

bool task_map_blobs(struct task *t, const json_t *list, struct err *err)
{
    size_t count = json_array_size(list);
    t->blobs = arena_zalloc(&t->arena, (count + 1) * sizeof *t->blobs);
    for (size_t i = 0; i < count; i++) {
        const json_t *b = json_array_get(list, i);
        const char *path = json_string_value(json_object_get(b, "path"));
        const char *hash = json_string_value(json_object_get(b, "hash"));
        uint64_t bytes = (uint64_t)json_integer_value(json_object_get(b, "bytes"));
        struct stat st;
        if (!map(path ? path : "", bytes, &st, &t->blobs[i], err))
            return false;
        t->blobs_count = i + 1;
        if (!check(t->checks, &st, t->blobs[i], hash))
            return err_set(err, ERR_SYSTEM, "blob \"%s\" is damaged", path);
    }
    return true;
}

void task_unmap_blobs(struct task *t)
{
    for (size_t i = 0; i < t->blobs_count; i++)
        if (t->blobs[i].n)
            (void)munmap((void *)(uintptr_t)t->blobs[i].p, t->blobs[i].n);
    t->blobs_count = 0;
}
