#include "experimentd/config/keys.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experimentd/config/load.h"
#include "experimentd/config/snapshot.h"
#include "tests/support/pgtest.h"

static char dir[] = "/tmp/expd-keys.XXXXXX";

static void make_dir(void)
{
    cr_assert(mkdtemp(dir) != NULL);
}

static void remove_dir(void)
{
    AUTO(mem_free) char *admin = mem_printf("%s/admin.key", dir), *client = mem_printf("%s/client.key", dir);
    (void)unlink(admin);
    (void)unlink(client);
    (void)rmdir(dir);
}

static enum key_scope scope_of(struct pg *pg, const char *key, struct str *out_label)
{
    static char label[200];
    struct err err = { 0 };
    struct snapshot *s = snapshot_load(pg, &err);
    cr_assert(s != NULL, "%s", err.text);
    enum key_scope scope = snapshot_key_scope(s, str_of(key), out_label);
    if (scope != SCOPE_NONE) {
        (void)snprintf(label, sizeof label, "%.*s", STR_ARG(*out_label));
        *out_label = str_of(label);
    }
    snapshot_free(s);
    return scope;
}

static struct str read_key(const char *name, char room[KEY_TEXT_MAX])
{
    struct stat st;
    AUTO(mem_free) char *path = mem_printf("%s/%s", dir, name);
    FILE *f = fopen(path, "re");
    cr_assert(f != NULL && fgets(room, KEY_TEXT_MAX, f) != NULL, "%s", path);
    cr_assert(eq(int, fstat(fileno(f), &st), 0));
    cr_expect(eq(int, (int)(st.st_mode & 07777), 0600));
    (void)fclose(f);
    room[strcspn(room, "\n")] = '\0';
    return str_of(room);
}

Test(keys, a_key_opens_its_scope_and_is_not_stored)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    struct err err = { 0 };
    for (enum key_scope s = SCOPE_CLIENT; s < SCOPE_COUNT; s++) {
        char key[KEY_TEXT_MAX];
        struct str label;
        cr_assert(key_create(pg, s, "for \"tests\"", key, &err), "%s", err.text);
        cr_expect(eq(int, (int)scope_of(pg, key, &label), (int)s));
        cr_expect(str_eq_c(label, "for \"tests\""));
        key[strlen(key) - 1] ^= 1;
        cr_expect(eq(int, (int)scope_of(pg, key, &label), (int)SCOPE_NONE));
    }
    cr_expect(eq(i64, pgtest_number(pg, "select count(*) from api_keys where length(hash) = 32"), SCOPE_COUNT - 1));
    cr_expect(eq(i64, pgtest_number(pg, "select version from config_version"), SCOPE_COUNT)); /* servers hear of each */
    pg_close(pg);
}

/* More keys than the table had room for at first: every one is found, none that was revoked. */
Test(keys, many_keys_and_a_revoked_one)
{
    enum { KEYS = 100 };
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    struct err err = { 0 };
    static char keys[KEYS][KEY_TEXT_MAX];
    struct str label;
    for (size_t i = 0; i < KEYS; i++)
        cr_assert(key_create(pg, SCOPE_CLIENT, i == 7 ? "lost" : "kept", keys[i], &err), "%s", err.text);
    pgtest_exec(pg, "update api_keys set revoked_at = now() where label = 'lost'");
    struct snapshot *s = snapshot_load(pg, &err);
    cr_assert(s != NULL, "%s", err.text);
    for (size_t i = 0; i < KEYS; i++)
        cr_expect(
            eq(int, (int)snapshot_key_scope(s, str_of(keys[i]), &label), (int)(i == 7 ? SCOPE_NONE : SCOPE_CLIENT)));
    snapshot_free(s);
    pg_close(pg);
}

Test(keys, the_first_start_writes_files_that_only_the_owner_reads, .init = make_dir, .fini = remove_dir)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    struct err err = { 0 };
    char admin[KEY_TEXT_MAX], client[KEY_TEXT_MAX], again[KEY_TEXT_MAX];
    struct str label;
    cr_assert(keys_make_first(pg, dir, &err), "%s", err.text);
    cr_expect(eq(int, (int)scope_of(pg, read_key("admin.key", admin).p, &label), (int)SCOPE_ADMIN));
    cr_expect(str_eq_c(label, "admin.key"));
    cr_expect(eq(int, (int)scope_of(pg, read_key("client.key", client).p, &label), (int)SCOPE_CLIENT));
    cr_assert(keys_make_first(pg, dir, &err), "%s", err.text); /* the second start */
    cr_expect(str_eq_c(read_key("admin.key", again), admin));
    cr_expect(eq(i64, pgtest_number(pg, "select count(*) from api_keys"), 2));
    pgtest_exec(pg, "update api_keys set revoked_at = now()");
    cr_assert(keys_make_first(pg, dir, &err), "%s", err.text);
    cr_expect(
        eq(int, (int)scope_of(pg, admin, &label), (int)SCOPE_NONE)); /* a file does not bring a revoked key back */
    pg_close(pg);
}

Test(keys, files_of_another_database_are_made_known, .init = make_dir, .fini = remove_dir)
{
    struct pg *old = pgtest_open(config_statements, CONFIG_STMT_COUNT),
              *fresh = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    struct err err = { 0 };
    char admin[KEY_TEXT_MAX];
    struct str label;
    cr_assert(keys_make_first(old, dir, &err), "%s", err.text);
    cr_assert(keys_make_first(fresh, dir, &err), "%s", err.text);
    cr_expect(eq(int, (int)scope_of(fresh, read_key("admin.key", admin).p, &label), (int)SCOPE_ADMIN));
    pg_close(old);
    pg_close(fresh);
}
