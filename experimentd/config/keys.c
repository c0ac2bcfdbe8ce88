#include "experimentd/config/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pg.h"
#include "experimentd/config/snapshot_parts.h"

enum { SECRET_BYTES = 32 };

/* One statement: a key that is stored is also announced. A key that is there already (revoked, perhaps) stays as it is. */
static const struct pg_stmt insert_key = {
    "key_insert", 4,
    "with k as (insert into api_keys (id, label, scope, hash) values ($1::uuid, $2, $3, decode($4, 'hex')) "
    "on conflict (hash) do nothing returning id), "
    "b as (update config_version set version = version + 1 where exists (select 1 from k) returning version) "
    "select pg_notify('config', version::text) from b"
};

static bool store(struct pg *pg, enum key_scope scope, const char *label, struct str key, struct err *err)
{
    unsigned char hash[KEY_HASH_BYTES], id[16];
    char hash_hex[2 * KEY_HASH_BYTES + 1], id_text[UUID_TEXT_MAX];
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)key.p, key.n, NULL, 0);
    (void)sodium_bin2hex(hash_hex, sizeof hash_hex, hash, sizeof hash);
    uuid_v7(id, clock_now_us());
    uuid_format(id, id_text);
    const char *params[] = { id_text, label, key_scope_names[scope], hash_hex };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &insert_key, params, err);
    return r != NULL;
}

bool key_create(struct pg *pg, enum key_scope scope, const char *label, char out_key[KEY_TEXT_MAX], struct err *err)
{
    unsigned char secret[SECRET_BYTES];
    char hex[2 * SECRET_BYTES + 1];
    randombytes_buf(secret, sizeof secret);
    (void)sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    (void)snprintf(out_key, KEY_TEXT_MAX, "xd_%s_%s", key_scope_names[scope], hex);
    bool ok = store(pg, scope, label, str_of(out_key), err);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(hex, sizeof hex);
    return ok;
}

static bool write_secret(const char *path, const char *key, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, "cannot make \"%s\"", path);
    bool ok = dprintf(fd, "%s\n", key) > 0 && fsync(fd) == 0;
    if (close(fd) == 0 && ok)
        return true;
    err_set_errno(err, "cannot write \"%s\"", path);
    (void)unlink(path);
    return false;
}

static bool read_secret(const char *path, char out_key[KEY_TEXT_MAX], struct err *err)
{
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(out_key, KEY_TEXT_MAX, f);
    if (!ok)
        err_set_errno(err, "cannot read \"%s\"", path);
    if (f)
        (void)fclose(f);
    return ok;
}

/* A file that is there makes its key known, which does nothing but where the database is another one than the file's. */
static bool make_one(struct pg *pg, const char *dir, enum key_scope scope, struct err *err)
{
    char label[KEY_TEXT_MAX], key[KEY_TEXT_MAX];
    (void)snprintf(label, sizeof label, "%s.key", key_scope_names[scope]);
    AUTO(mem_free) char *path = mem_printf("%s/%s", dir, label);
    bool ok;
    if (access(path, F_OK) != 0) /* stored first: a key in the file that the database does not know would be refused */
        ok = key_create(pg, scope, label, key, err) && write_secret(path, key, err);
    else
        ok = read_secret(path, key, err) && store(pg, scope, label, str_trim(str_of(key)), err);
    sodium_memzero(key, sizeof key);
    return ok;
}

bool keys_make_first(struct pg *pg, const char *data_dir, struct err *err)
{
    return make_one(pg, data_dir, SCOPE_ADMIN, err) && make_one(pg, data_dir, SCOPE_CLIENT, err);
}
