#include "trainer/engine/build.h"

#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* One ELF note. */
struct note {
    ElfW(Nhdr) head;
    char name[4]; /* "GNU" */
    unsigned char id[];
};

static void format(const struct note *n, char text[BUILD_TEXT_MAX])
{
    for (unsigned i = 0; i < n->head.n_descsz && 2 * i + 2 < BUILD_TEXT_MAX; i++)
        (void)snprintf(text + 2 * (size_t)i, 3, "%02x", n->id[i]);
}

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static void look_at(const char *at, size_t bytes, char text[BUILD_TEXT_MAX])
{
    while (bytes >= offsetof(struct note, id)) {
        const struct note *n = (const struct note *)(const void *)at;
        size_t size = sizeof n->head + padded(n->head.n_namesz) + padded(n->head.n_descsz);
        if (size > bytes)
            return;
        if (n->head.n_type == NT_GNU_BUILD_ID && n->head.n_namesz == 4 && memcmp(n->name, "GNU", 4) == 0)
            format(n, text);
        at += size;
        bytes -= size;
    }
}

/* The first object is the program itself. */
static int look(struct dl_phdr_info *info, size_t size, void *text)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_NOTE)
            look_at((const char *)(info->dlpi_addr + p->p_vaddr), p->p_memsz, text);
    }
    return 1;
}

const char *build_text(char text[BUILD_TEXT_MAX])
{
    text[0] = '\0';
    (void)dl_iterate_phdr(look, text);
    if (!*text)
        (void)snprintf(text, BUILD_TEXT_MAX, "%s", EXPERIMENTD_VERSION);
    return text;
}
