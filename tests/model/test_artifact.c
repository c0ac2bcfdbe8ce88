#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/artifact.h"

/* "artifact \"abc\"": printf of a section of 100 bytes that are not all the same. */
static struct str hundred(void)
{
    static char bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    return (struct str){ bytes, sizeof bytes };
}

static void write_one(struct buf *file, char digest[ARTIFACT_DIGEST])
{
    struct artifact_out o;
    struct err err;
    buf_init(file, 1 << 20);
    artifact_begin(&o, "recommender");
    artifact_add(&o, "card", STR("{}"));
    artifact_add(&o, "empty", STR(""));
    artifact_add(&o, "items_for_user", hundred());
    cr_assert(artifact_end(&o, file, digest, &err));
}

static void refused(struct str bytes, const char *why)
{
    struct artifact a;
    struct err err = { 0 };
    cr_assert(not(artifact_read(bytes, &a, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_INVALID));
    cr_assert(ne(ptr, strstr(err.text, why), NULL), "\"%s\" does not say \"%s\"", err.text, why);
}

Test(artifact, what_is_written_is_read)
{
    struct buf file;
    struct artifact a;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    write_one(&file, digest);
    cr_assert(artifact_read(buf_str(&file), &a, &err), "%s", err.text);
    cr_assert(eq(str, a.kind, "recommender"));
    cr_assert(eq(str, a.digest, digest));
    cr_assert(eq(sz, a.sections_count, 3));
    cr_assert(str_eq_c(artifact_section(&a, "card"), "{}"));
    cr_assert(str_eq(artifact_section(&a, "items_for_user"), hundred()));
    cr_assert(eq(sz, artifact_section(&a, "empty").n, 0));
    cr_assert(ne(ptr, artifact_section(&a, "empty").p, NULL));
    cr_assert(eq(ptr, artifact_section(&a, "items").p, NULL));
    cr_assert(eq(sz, (size_t)(artifact_section(&a, "items_for_user").p - file.p) % ARTIFACT_ALIGN, 0));
    buf_release(&file);
}

Test(artifact, the_digest_is_blake2b_of_all_before_it)
{
    struct buf file;
    char digest[ARTIFACT_DIGEST], path[] = "/tmp/artifact-XXXXXX", said[ARTIFACT_DIGEST] = "";
    write_one(&file, digest);
    int fd = mkstemp(path);
    cr_assert(eq(int, (int)write(fd, file.p, file.n - ARTIFACT_HASH), (int)(file.n - ARTIFACT_HASH)));
    char *command = mem_printf("b2sum -l 256 %s", path);
    FILE *p = popen(command, "r");
    cr_assert(eq(sz, fread(said, 1, ARTIFACT_DIGEST - 1, p), ARTIFACT_DIGEST - 1));
    cr_assert(eq(int, pclose(p), 0));
    cr_assert(eq(str, said, digest));
    (void)close(fd);
    (void)unlink(path);
    mem_free(command);
    buf_release(&file);
}

Test(artifact, the_same_sections_give_the_same_bytes)
{
    struct buf one, two;
    char a[ARTIFACT_DIGEST], b[ARTIFACT_DIGEST];
    write_one(&one, a);
    write_one(&two, b);
    cr_assert(eq(str, a, b));
    cr_assert(str_eq(buf_str(&one), buf_str(&two)));
    buf_release(&one);
    buf_release(&two);
}

Test(artifact, every_flipped_bit_is_refused)
{
    struct buf file;
    char digest[ARTIFACT_DIGEST];
    write_one(&file, digest);
    for (size_t i = 0; i < file.n * 8; i++) {
        file.p[i / 8] = (char)(file.p[i / 8] ^ (1 << i % 8));
        refused(buf_str(&file), "artifact");
        file.p[i / 8] = (char)(file.p[i / 8] ^ (1 << i % 8));
    }
    buf_release(&file);
}

Test(artifact, every_cut_is_refused_and_named)
{
    struct buf file;
    char digest[ARTIFACT_DIGEST];
    write_one(&file, digest);
    for (size_t n = strlen(ARTIFACT_MAGIC); n < file.n; n++)
        refused((struct str){ file.p, n }, "truncated");
    refused((struct str){ file.p, 3 }, "does not begin");
    refused(STR(""), "does not begin");
    buf_add_byte(&file, 'x');
    refused(buf_str(&file), "are its own");
    buf_release(&file);
}

Test(artifact, what_is_wrong_is_named)
{
    struct buf file;
    char digest[ARTIFACT_DIGEST];
    write_one(&file, digest);
    file.p[file.n - 40] ^= 1;
    refused(buf_str(&file), "checksum");
    file.p[64 + 24] = 1; /* the offset of the first section */
    refused(buf_str(&file), "section \"card\" lies outside");
    file.p[24] = 'R';
    refused(buf_str(&file), "kind");
    file.p[12] = 127;
    refused(buf_str(&file), "127 sections");
    file.p[8] = 9;
    refused(buf_str(&file), "version 9");
    buf_release(&file);
}

Test(artifact, a_mapped_file_must_have_the_digest)
{
    struct buf file;
    struct artifact a;
    struct err err;
    char digest[ARTIFACT_DIGEST], path[] = "/tmp/artifact-XXXXXX";
    write_one(&file, digest);
    int fd = mkstemp(path);
    cr_assert(eq(int, (int)write(fd, file.p, file.n), (int)file.n));
    cr_assert(artifact_map(path, digest, &a, &err), "%s", err.text);
    cr_assert(str_eq(artifact_section(&a, "items_for_user"), hundred()));
    artifact_unmap(&a);
    digest[0] = digest[0] == '0' ? '1' : '0';
    cr_assert(not(artifact_map(path, digest, &a, &err)));
    cr_assert(ne(ptr, strstr(err.text, "expected"), NULL), "%s", err.text);
    cr_assert(eq(int, ftruncate(fd, (off_t)file.n - 1), 0));
    cr_assert(not(artifact_map(path, digest, &a, &err)));
    cr_assert(ne(ptr, strstr(err.text, "truncated"), NULL), "%s", err.text);
    cr_assert(eq(int, ftruncate(fd, 0), 0));
    cr_assert(not(artifact_map(path, digest, &a, &err)));
    (void)unlink(path);
    cr_assert(not(artifact_map(path, digest, &a, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_SYSTEM));
    (void)close(fd);
    buf_release(&file);
}

Test(artifact, no_section_is_an_artifact_too)
{
    struct artifact_out o;
    struct artifact a;
    struct err err;
    struct buf file;
    char digest[ARTIFACT_DIGEST];
    buf_init(&file, 1 << 10);
    artifact_begin(&o, "empty");
    cr_assert(artifact_end(&o, &file, digest, &err));
    cr_assert(artifact_read(buf_str(&file), &a, &err), "%s", err.text);
    buf_release(&file);
    buf_init(&file, 50);
    cr_assert(not(artifact_end(&o, &file, digest, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_TOO_LARGE));
    buf_release(&file);
}

Test(artifact, digests_are_64_hex_digits)
{
    cr_assert(artifact_is_digest(STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")));
    cr_assert(not(artifact_is_digest(STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"))));
    cr_assert(not(artifact_is_digest(STR("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"))));
    cr_assert(not(artifact_is_digest(STR("../3456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))));
}
