#include "trainer/spark/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "trainer/kernels/rank/xgboost_api.h"

enum { HASH_BYTES = 16, LIBRARIES_MAX = 128, FILE_READ = 1 << 16 };

/* What goes into the archive: where it lies here, and its name there. */
struct piece {
    char *path, *name;
};
struct pieces {
    struct piece at[LIBRARIES_MAX];
    size_t count;
};

static void pieces_release(struct pieces *p)
{
    for (size_t i = 0; i < p->count; i++) {
        mem_free(p->at[i].path);
        mem_free(p->at[i].name);
    }
    p->count = 0;
}

static void pieces_release_p(struct pieces *p)
{
    pieces_release(p);
}

static void add(struct pieces *p, const char *path, char *name)
{
    char whole[PATH_MAX];
    if (p->count == LIBRARIES_MAX || !realpath(path, whole)) {
        mem_free(name);
        return;
    }
    p->at[p->count++] = (struct piece){ mem_strdup(whole), name };
}

/* A library that this program has loaded; the loader is told by its address. */
static int on_library(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    const char *slash = strrchr(info->dlpi_name, '/');
    if (!slash)
        return 0; /* the program itself, the kernel's */
    bool loader = info->dlpi_addr == getauxval(AT_BASE);
    add(arg, info->dlpi_name, loader ? mem_strdup("loader") : mem_printf("lib%s", slash));
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct piece *)a)->name, ((const struct piece *)b)->name);
}

static void pieces_find(struct pieces *p)
{
    add(p, "/proc/self/exe", mem_strdup("trainer"));
    (void)dl_iterate_phdr(on_library, p);
    qsort(p->at, p->count, sizeof *p->at, by_name);
}

static bool hash_file(crypto_generichash_state *state, const char *path, struct err *err)
{
    unsigned char bytes[FILE_READ];
    size_t n;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set_errno(err, "cannot read \"%s\"", path);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        (void)crypto_generichash_update(state, bytes, n);
    bool ok = !ferror(f) || err_set_errno(err, "cannot read \"%s\"", path);
    (void)fclose(f);
    return ok;
}

static bool hash_all(const struct pieces *p, char out[2 * HASH_BYTES + 1], struct err *err)
{
    crypto_generichash_state state;
    unsigned char hash[HASH_BYTES];
    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < p->count; i++) {
        (void)crypto_generichash_update(&state, (const unsigned char *)p->at[i].name, strlen(p->at[i].name) + 1);
        if (!hash_file(&state, p->at[i].path, err))
            return false;
    }
    for (const struct embedded_file *f = spark_files; f->name; f++)
        (void)crypto_generichash_update(&state, (const unsigned char *)f->text, strlen(f->text));
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    (void)sodium_bin2hex(out, 2 * HASH_BYTES + 1, hash, sizeof hash);
    return true;
}

static bool make_dir(const char *path, struct err *err)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST || err_set_errno(err, "cannot make directory \"%s\"", path);
}

static bool write_file(const char *dir, const struct embedded_file *file, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/%s", dir, file->name);
    FILE *f = fopen(path, "we");
    bool ok = f && fputs(file->text, f) >= 0;
    if (f && fclose(f) != 0)
        ok = false;
    return ok || err_set_errno(err, "cannot write \"%s\"", path);
}

static bool run(const char *const *argv, struct err *err)
{
    pid_t pid;
    int status = -1;
    int failed = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
    if (failed)
        return err_set(err, ERR_SYSTEM, "cannot start \"%s\": %s", argv[0], strerror(failed));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           err_set(err, ERR_SYSTEM, "\"%s\" ended with status %d", argv[0], status);
}

/* A folder of links to the pieces, which tar follows. */
static bool make_tree(const struct pieces *p, const char *tree, struct err *err)
{
    AUTO(mem_free) char *lib = mem_printf("%s/lib", tree);
    if (!make_dir(tree, err) || !make_dir(lib, err))
        return false;
    for (size_t i = 0; i < p->count; i++) {
        AUTO(mem_free) char *link = mem_printf("%s/%s", tree, p->at[i].name);
        if (symlink(p->at[i].path, link) != 0 && errno != EEXIST)
            return err_set_errno(err, "cannot make link \"%s\"", link);
    }
    return true;
}

static bool make_archive(const struct pieces *p, const char *dir, const char *archive, struct err *err)
{
    AUTO(mem_free) char *tree = mem_printf("%s/tree", dir);
    AUTO(mem_free) char *file = mem_printf("%s/%s", dir, archive);
    const char *tar[] = {
        "tar", "--create", "--gzip", "--dereference", "--file", file, "--directory", tree, ".", NULL
    };
    const char *rm[] = { "rm", "-r", "--", tree, NULL };
    return make_tree(p, tree, err) && run(tar, err) && run(rm, err);
}

/* Everything is made under a name of our own and renamed; who comes second finds it there. */
static bool make_folder(const struct pieces *p, const char *folder, const char *archive, struct err *err)
{
    AUTO(mem_free) char *part = mem_printf("%s.%d", folder, (int)getpid());
    bool ok = make_dir(part, err) && make_archive(p, part, archive, err);
    for (const struct embedded_file *f = spark_files; ok && f->name; f++)
        ok = write_file(part, f, err);
    if (ok && rename(part, folder) != 0 && errno != EEXIST && errno != ENOTEMPTY)
        ok = err_set_errno(err, "cannot make \"%s\"", folder);
    struct err ignored;
    if (access(part, F_OK) == 0 && !run((const char *[]){ "rm", "-r", "--", part, NULL }, &ignored))
        return ok;
    return ok;
}

char *bundle_make(const char *dir, char out_archive[64], struct err *err)
{
    AUTO(pieces_release) struct pieces pieces = { 0 };
    char hash[2 * HASH_BYTES + 1];
    if (!xgboost_api(err)) /* kernels load it when they need it: it has to be among the libraries that are */
        return NULL;
    pieces_find(&pieces);
    if (!make_dir(dir, err) || !hash_all(&pieces, hash, err))
        return NULL;
    (void)snprintf(out_archive, 64, "experimentd-%.12s.tar.gz", hash);
    AUTO(mem_free) char *folder = mem_printf("%s/%s", dir, hash);
    if (access(folder, R_OK) != 0 && !make_folder(&pieces, folder, out_archive, err))
        return NULL;
    return TAKE(folder);
}
