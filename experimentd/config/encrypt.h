/* encrypt.h - the payload as clients with a decryption key get it: AES-128-CBC, as GrowthBook's SDKs decrypt it. It hides the rules from
 * who looks over the wire or into a cache; it is no protection from who has the key.
 *
 * The IV is a keyed hash of the text, not random: every daemon then sends the same bytes for the same configuration, as the ETag says. */
#pragma once
#include "base/mem.h"
#include "base/str.h"

/* The file holds base64 of 16 bytes; "": nothing is encrypted. Before the first snapshot is loaded. */
bool encrypt_read_key(const char *path, struct err *err) MUSTCHECK;
void encrypt_release(void);
bool encrypt_on(void);
/* Changes with the key; 0: nothing is encrypted. */
uint64_t encrypt_tag(void);
/* base64(iv) "." base64(ciphertext), in the arena. */
bool encrypt_text(struct arena *arena, struct str text, struct str *out, struct err *err) MUSTCHECK;
