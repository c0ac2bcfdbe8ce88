/* Encrypted payloads: AES-128-CBC by OpenSSL. Source: the SDK's decrypt (WebCrypto's AES-CBC, and atob). */
#include <openssl/evp.h>
#include <string.h>

#include "assign/arena.h"
#include "assign/assign.h"

enum { BLOCK = 16 };

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* As atob reads it: white space is passed over, padding may be missing. False: it is none. */
static bool base64_read(struct assign_text text, unsigned char *out, size_t *out_n)
{
    uint32_t bits = 0;
    size_t count = 0, pad = 0;
    *out_n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r')
            continue;
        if (c == '=') {
            pad++;
            continue;
        }
        int d = base64_digit(c);
        if (d < 0 || pad)
            return false;
        bits = bits << 6 | (uint32_t)d;
        if (++count % 4 != 1)
            out[(*out_n)++] = (unsigned char)(bits >> (count % 4 == 2 ? 4 : count % 4 == 3 ? 2 : 0));
    }
    return count % 4 != 1 && (pad == 0 || (pad <= 2 && (count + pad) % 4 == 0));
}

static bool read_key(struct assign_text key, unsigned char out[BLOCK])
{
    unsigned char room[BLOCK * 4];
    size_t n;
    bool ok = key.n <= sizeof room && base64_read(key, room, &n) && n == BLOCK;
    if (ok)
        memcpy(out, room, BLOCK);
    return ok;
}

static bool run_cipher(bool encrypt, const unsigned char key[BLOCK], const unsigned char iv[BLOCK],
                       const unsigned char *in, size_t n, unsigned char *out, size_t *out_n)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int some = 0, rest = 0;
    bool ok = c && n <= INT32_MAX / 2 && EVP_CipherInit_ex(c, EVP_aes_128_cbc(), NULL, key, iv, encrypt) == 1 &&
              EVP_CipherUpdate(c, out, &some, in, (int)n) == 1 && EVP_CipherFinal_ex(c, out + some, &rest) == 1;
    EVP_CIPHER_CTX_free(c);
    *out_n = (size_t)(some + rest);
    return ok;
}

bool assign_decrypt(struct assign_text text, struct assign_text key, struct assign_arena *arena,
                    struct assign_text *out)
{
    unsigned char secret[BLOCK], iv[BLOCK * 4];
    const char *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
    if (!dot || !read_key(key, secret))
        return false;
    struct assign_text first = { text.p, (size_t)(dot - text.p) }, second = { dot + 1, text.n - first.n - 1 };
    const char *end = second.n ? memchr(second.p, '.', second.n) : NULL;
    if (end) /* as split(".") cuts it */
        second.n = (size_t)(end - second.p);
    unsigned char *cipher = assign_alloc(arena, second.n + BLOCK), *plain = assign_alloc(arena, second.n + BLOCK * 2);
    size_t iv_n, n;
    if (!cipher || !plain || first.n > sizeof iv || !base64_read(first, iv, &iv_n) || iv_n != BLOCK ||
        !base64_read(second, cipher, &n) || n == 0 || !run_cipher(false, secret, iv, cipher, n, plain, &n))
        return false;
    bool marked = n >= 3 && memcmp(plain, "\xEF\xBB\xBF", 3) == 0; /* TextDecoder drops a byte order mark */
    *out = (struct assign_text){ (char *)plain + (marked ? 3 : 0), n - (marked ? 3 : 0) };
    return true;
}

static size_t base64_write(const unsigned char *in, size_t n, char *out)
{
    return (size_t)EVP_EncodeBlock((unsigned char *)out, in, (int)n);
}

bool assign_encrypt(struct assign_text text, struct assign_text key, const unsigned char iv[16],
                    struct assign_arena *arena, struct assign_text *out)
{
    unsigned char secret[BLOCK];
    size_t n, room = (text.n + BLOCK * 4) / 3 * 4 + BLOCK * 4;
    unsigned char *cipher = assign_alloc(arena, text.n + BLOCK * 2);
    char *written = assign_alloc(arena, room);
    if (!cipher || !written || !read_key(key, secret) ||
        !run_cipher(true, secret, iv, (const unsigned char *)(text.p ? text.p : ""), text.n, cipher, &n))
        return false;
    size_t at = base64_write(iv, BLOCK, written);
    written[at++] = '.';
    at += base64_write(cipher, n, written + at);
    *out = (struct assign_text){ written, at };
    return true;
}
