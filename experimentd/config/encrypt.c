/* The key is read once, before the first snapshot is built, and never changes: only the control thread uses it. */
#include "experimentd/config/encrypt.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "assign/assign.h"
#include "base/hash.h"

enum { KEY_BYTES = 16, IV_BYTES = 16, KEY_FILE_BYTES = 256 };

static unsigned char key[KEY_BYTES];
static char key_text[sodium_base64_ENCODED_LEN(KEY_BYTES, sodium_base64_VARIANT_ORIGINAL)];
static bool on;

static bool read_file(const char *path, char out[KEY_FILE_BYTES], struct err *err)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set_errno(err, "setting \"features.encryption_key_file\": cannot open \"%s\"", path);
    size_t n = fread(out, 1, KEY_FILE_BYTES - 1, f);
    out[n] = 0;
    bool ok = !ferror(f) || err_set_errno(err, "setting \"features.encryption_key_file\": cannot read \"%s\"", path);
    (void)fclose(f);
    return ok;
}

bool encrypt_read_key(const char *path, struct err *err)
{
    char text[KEY_FILE_BYTES];
    size_t n;
    encrypt_release();
    if (!*path)
        return true;
    if (!read_file(path, text, err))
        return false;
    struct str base64 = str_trim(str_of(text));
    bool ok = sodium_base642bin(key, sizeof key, base64.p, base64.n, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) ==
                  0 &&
              n == KEY_BYTES;
    if (ok)
        (void)sodium_bin2base64(key_text, sizeof key_text, key, sizeof key, sodium_base64_VARIANT_ORIGINAL);
    sodium_memzero(text, sizeof text);
    on = ok;
    return ok || err_set(err, ERR_INVALID,
                         "setting \"features.encryption_key_file\": \"%s\" does not hold base64 of %d bytes "
                         "(openssl rand -base64 16 makes such a key)",
                         path, KEY_BYTES);
}

void encrypt_release(void)
{
    sodium_memzero(key, sizeof key);
    sodium_memzero(key_text, sizeof key_text);
    on = false;
}

bool encrypt_on(void)
{
    return on;
}

uint64_t encrypt_tag(void)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    if (!on)
        return 0;
    (void)crypto_generichash(hash, sizeof hash, key, sizeof key, NULL, 0);
    return hash64((struct str){ (const char *)hash, sizeof hash });
}

bool encrypt_text(struct arena *arena, struct str text, struct str *out, struct err *err)
{
    unsigned char iv[IV_BYTES];
    struct assign_arena memory = { .more = arena_more, .owner = arena };
    struct assign_text encrypted;
    static_assert(IV_BYTES >= crypto_generichash_BYTES_MIN && KEY_BYTES >= crypto_generichash_KEYBYTES_MIN, "sizes");
    (void)crypto_generichash(iv, sizeof iv, (const unsigned char *)text.p, text.n, key, sizeof key);
    if (!assign_encrypt((struct assign_text){ text.p, text.n }, (struct assign_text){ key_text, strlen(key_text) }, iv,
                        &memory, &encrypted))
        return err_set(err, ERR_SYSTEM, "the payload cannot be encrypted");
    *out = (struct str){ encrypted.p, encrypted.n };
    return true;
}
