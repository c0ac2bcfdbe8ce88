#include "trainer/engine/store.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trainer/engine/build.h"
#include "trainer/engine/task.h"

static const char magic[4] = { 'X', 'P', 'R', '1' };

struct result_head {
    char magic[4];
    uint32_t zero;
    uint64_t rows;
};

/* ---- keys ---- */

static void add(crypto_generichash_state *h, const void *p, size_t n)
{
    uint64_t size = n;
    (void)crypto_generichash_update(h, (const unsigned char *)&size, sizeof size);
    (void)crypto_generichash_update(h, p, n);
}

static void add_str(crypto_generichash_state *h, struct str s)
{
    add(h, s.n ? s.p : "", s.n);
}

static struct store_key final(crypto_generichash_state *h)
{
    unsigned char bytes[STORE_KEY_BYTES];
    struct store_key k;
    (void)crypto_generichash_final(h, bytes, sizeof bytes);
    (void)sodium_bin2hex(k.text, sizeof k.text, bytes, sizeof bytes);
    return k;
}

struct store_key store_key_of(const struct engine_pass *pass, const struct engine_split *split,
                              const struct store_key *inputs, const struct store_key *blobs, struct str nonce)
{
    char build[BUILD_TEXT_MAX];
    crypto_generichash_state h;
    const uint64_t numbers[] = { pass->parts ? pass->parts : 1, pass->seed, (uint64_t)pass->out, split->inputs_count };
    (void)crypto_generichash_init(&h, NULL, 0, STORE_KEY_BYTES);
    add_str(&h, str_of(build_text(build)));
    add_str(&h, str_of(pass->name));
    add_str(&h, str_of(pass->kernel));
    add_str(&h, pass->params);
    add_str(&h, split->desc);
    add_str(&h, split->seen);
    add(&h, numbers, sizeof numbers);
    for (size_t i = 0; i < split->inputs_count; i++) {
        add(&h, inputs[i].text, sizeof inputs[i].text);
        add(&h, &split->inputs[i].part, sizeof split->inputs[i].part);
    }
    for (size_t i = 0; i < pass->blobs_count; i++)
        add(&h, blobs[i].text, sizeof blobs[i].text);
    if (pass->reads_database && split->seen.n == 0)
        add_str(&h, nonce);
    return final(&h);
}

struct store_key store_key_of_bytes(struct str bytes)
{
    crypto_generichash_state h;
    (void)crypto_generichash_init(&h, NULL, 0, STORE_KEY_BYTES);
    add_str(&h, bytes);
    return final(&h);
}

/* ---- names ---- */

char *store_path(const char *dir, int pass, uint32_t split, const struct store_key *key)
{
    return mem_printf("%s/p%d.s%u.%s", dir, pass, split, key->text);
}

char *store_attempt_path(const char *dir, int pass, uint32_t split, const struct store_key *key, uint32_t attempt)
{
    return mem_printf("%s/p%d.s%u.%s.%d.a%u", dir, pass, split, key->text, (int)getpid(), attempt);
}

char *store_blob_path(const char *dir, const struct store_key *hash)
{
    return mem_printf("%s/blob.%s", dir, hash->text);
}

/* ---- files ---- */

static bool commit(FILE *f, bool ok, const char *from, const char *to, struct err *err)
{
    ok = fclose(f) == 0 && ok && rename(from, to) == 0;
    if (ok)
        return true;
    err_set_errno(err, "cannot write \"%s\"", to);
    (void)unlink(from);
    return false;
}

bool store_write_file(const char *path, struct str bytes, struct err *err)
{
    AUTO(mem_free) char *from = mem_printf("%s.%d.new", path, (int)getpid());
    FILE *f = fopen(from, "we");
    if (!f)
        return err_set_errno(err, "cannot write \"%s\"", from);
    return commit(f, bytes.n == 0 || fwrite(bytes.p, 1, bytes.n, f) == bytes.n, from, path, err);
}

static void hash_result(const struct result_head *head, struct str result, unsigned char out[STORE_KEY_BYTES])
{
    crypto_generichash_state h;
    (void)crypto_generichash_init(&h, NULL, 0, STORE_KEY_BYTES);
    add(&h, head, sizeof *head);
    add_str(&h, result);
    (void)crypto_generichash_final(&h, out, STORE_KEY_BYTES);
}

bool store_write_result(const char *path, uint64_t rows, struct str result, struct err *err)
{
    AUTO(mem_free) char *from = mem_printf("%s.%d.new", path, (int)getpid());
    struct result_head head = { .rows = rows };
    unsigned char hash[STORE_KEY_BYTES];
    FILE *f = fopen(from, "we");
    if (!f)
        return err_set_errno(err, "cannot write \"%s\"", from);
    memcpy(head.magic, magic, sizeof magic);
    hash_result(&head, result, hash);
    bool ok = fwrite(&head, sizeof head, 1, f) == 1 &&
              (result.n == 0 || fwrite(result.p, 1, result.n, f) == result.n) && fwrite(hash, sizeof hash, 1, f) == 1;
    return commit(f, ok, from, path, err);
}

static bool read_whole(FILE *f, struct buf *out)
{
    for (;;) {
        char *to = buf_reserve(out, 64 << 10);
        size_t n = to ? fread(to, 1, 64 << 10, f) : 0;
        out->n += n;
        if (n == 0)
            return to && !ferror(f);
    }
}

bool store_read_result(const char *path, uint64_t *out_rows, struct buf *out_result)
{
    struct result_head head;
    unsigned char hash[STORE_KEY_BYTES];
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    AUTO(buf_release) struct buf b;
    buf_init(&b, (size_t)TASK_COLLECT_MAX + (1 << 20));
    bool ok = read_whole(f, &b) && b.n >= sizeof head + sizeof hash;
    (void)fclose(f);
    if (!ok)
        return false;
    memcpy(&head, b.p, sizeof head);
    struct str result = { b.p + sizeof head, b.n - sizeof head - sizeof hash };
    hash_result(&head, result, hash);
    if (memcmp(head.magic, magic, sizeof magic) != 0 || memcmp(hash, b.p + b.n - sizeof hash, sizeof hash) != 0)
        return false;
    *out_rows = head.rows;
    buf_clear(out_result);
    buf_add_str(out_result, result);
    return !out_result->failed;
}

/* "….a12" or "….new", which become whole by a rename. */
static bool is_unfinished(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".new") == 0 || (dot[1] == 'a' && strspn(dot + 2, "0123456789") == strlen(dot + 2)));
}

static void remove_files(const char *dir, bool all)
{
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", dir, f->d_name);
        if (f->d_name[0] != '.' && (all || is_unfinished(f->d_name)))
            (void)unlink(path);
    }
    if (d)
        (void)closedir(d);
}

void store_clean(const char *dir)
{
    remove_files(dir, false);
}

void store_remove(const char *dir)
{
    remove_files(dir, true);
    (void)rmdir(dir);
}
