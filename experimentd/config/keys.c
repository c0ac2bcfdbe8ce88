#include "experimentd/config/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pg.h"
#include "experimentd/config/snapshot_parts.h"

enum { SECRET_BYTES = 32 };

static const char *const scope_names[] = { [SCOPE_CLIENT] = "client", [SCOPE_ANALYST] = "analyst", [SCOPE_ADMIN] = "admin" };

static const struct pg_stmt insert_key = {
    "key_insert", 4, "insert into api_keys (id, label, scope, hash) values ($1::uuid, $2, $3, decode($4, 'hex'))"
};
static const struct pg_stmt bump = {
    "key_bump", 0,
    "with b as (update config_version set version = version + 1 returning version) "
    "select pg_notify('config', version::text) from b"
};

bool key_create(struct pg *pg, enum key_scope scope, const char *label, char out_key[KEY_TEXT_MAX], struct err *err)
{
    unsigned char secret[SECRET_BYTES], hash[KEY_HASH_BYTES], id[16];
    char hex[2 * SECRET_BYTES + 1], hash_hex[2 * KEY_HASH_BYTES + 1], id_text[UUID_TEXT_MAX];
    randombytes_buf(secret, sizeof secret);
    (void)sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    (void)snprintf(out_key, KEY_TEXT_MAX, "xd_%c_%s", scope_names[scope][0], hex);
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)out_key, strlen(out_key), NULL, 0);
    (void)sodium_bin2hex(hash_hex, sizeof hash_hex, hash, sizeof hash);
    uuid_v7(id, clock_now_us());
    uuid_format(id, id_text);
    const char *params[] = { id_text, label, scope_names[scope], hash_hex };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &insert_key, params, err);
    AUTO(pg_result_free) PGresult *b = r ? pg_run(pg, &bump, NULL, err) : NULL;
    sodium_memzero(secret, sizeof secret);
    return b != NULL;
}

static bool write_secret(const char *path, const char *key, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, "cannot make \"%s\"", path);
    bool ok = dprintf(fd, "%s\n", key) > 0 && fsync(fd) == 0;
    if (close(fd) != 0 || !ok)
        return err_set_errno(err, "cannot write \"%s\"", path);
    return true;
}

static bool make_one(struct pg *pg, const char *dir, enum key_scope scope, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/%s.key", dir, scope_names[scope]);
    char key[KEY_TEXT_MAX];
    if (access(path, F_OK) == 0)
        return true;
    /* Stored first: a key in the file that the database does not know would be refused for ever. */
    return key_create(pg, scope, path, key, err) && write_secret(path, key, err);
}

bool keys_make_first(struct pg *pg, const char *data_dir, struct err *err)
{
    return make_one(pg, data_dir, SCOPE_ADMIN, err) && make_one(pg, data_dir, SCOPE_CLIENT, err);
}
