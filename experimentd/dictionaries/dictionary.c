#include "experimentd/dictionaries/dictionary.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/query_text.h"

struct entry {
    struct str word;
    uint64_t count;
};

struct reading {
    struct arena *arena;
    struct entry *entries;
    size_t count, room;
};

static void add(struct reading *r, struct entry e)
{
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 1024;
        r->entries = mem_realloc(r->entries, r->room * sizeof *r->entries);
    }
    r->entries[r->count++] = e;
}

/* The last word of the line, when there are several. */
static bool cut_count(struct str *line, uint64_t *out, struct err *err)
{
    size_t at = line->n;
    while (at > 0 && line->p[at - 1] != ' ' && line->p[at - 1] != '\t')
        at--;
    struct str last = { line->p + at, line->n - at };
    *out = 1;
    if (at == 0)
        return true;
    if (!parse_u64(last, out, NULL) || *out < 1 || *out > DICTIONARY_COUNT_MAX)
        return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no count: a whole number from 1 to %" PRIu64,
                       STR_ARG(str_cut(last, 60)), DICTIONARY_COUNT_MAX);
    *line = str_trim((struct str){ line->p, at });
    return true;
}

static size_t spaces(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == ' ';
    return n;
}

static bool read_line(struct reading *r, struct str line, struct err *err)
{
    char text[QUERY_TEXT_MAX];
    struct entry e;
    if (!str_is_utf8(line))
        return err_set(err, ERR_INVALID, "is not UTF-8");
    if (!cut_count(&line, &e.count, err))
        return false;
    if (line.n > DICTIONARY_WORD_BYTES)
        return err_set(err, ERR_INVALID, "the word has %zu bytes, more than %d", line.n, DICTIONARY_WORD_BYTES);
    struct str word = query_text(line, text);
    if (word.n == 0)
        return err_set(err, ERR_INVALID, "has no word");
    if (spaces(word) >= DICTIONARY_PHRASE_MAX)
        return err_set(err, ERR_INVALID, "the phrase has more than %d words", DICTIONARY_PHRASE_MAX);
    e.word = arena_str(r->arena, word);
    add(r, e);
    return true;
}

static void read_lines(struct reading *r, struct str text, struct dictionary *out)
{
    struct str line;
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = (struct str){ text.p + 3, text.n - 3 };
    for (size_t number = 1; str_split(&text, '\n', &line); number++) {
        struct err err;
        line = str_trim(line);
        if (line.n > 0 && !read_line(r, line, &err))
            bad_lines_add(&out->bad, number, &err);
    }
}

static int by_word(const void *a, const void *b)
{
    struct str x = ((const struct entry *)a)->word, y = ((const struct entry *)b)->word;
    int d = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return d ? d : x.n < y.n ? -1 : x.n > y.n;
}

static void write_words(struct reading *r, struct dictionary *out)
{
    if (r->count)
        qsort(r->entries, r->count, sizeof *r->entries, by_word);
    for (size_t i = 0; i < r->count;) {
        struct entry e = r->entries[i];
        for (i++; i < r->count && str_eq(r->entries[i].word, e.word); i++)
            e.count = e.count + r->entries[i].count < DICTIONARY_COUNT_MAX ? e.count + r->entries[i].count
                                                                           : DICTIONARY_COUNT_MAX;
        buf_add_str(&out->content, e.word);
        buf_add_byte(&out->content, ' ');
        buf_add_u64(&out->content, e.count);
        buf_add_byte(&out->content, '\n');
        out->words++;
        out->total += e.count;
    }
}

bool dictionary_read(struct str text, struct arena *arena, struct dictionary *out, struct err *err)
{
    struct reading r = { .arena = arena };
    memset(out, 0, sizeof *out);
    buf_init(&out->content, DICTIONARY_BYTES_MAX);
    read_lines(&r, text, out);
    write_words(&r, out);
    mem_free(r.entries);
    if (!bad_lines_none(&out->bad, "lines", err))
        return false;
    if (out->words == 0)
        return err_set(err, ERR_INVALID, "the dictionary has no word");
    if (out->words > DICTIONARY_WORDS_MAX)
        return err_set(err, ERR_INVALID, "the dictionary has %u words, more than %d", out->words, DICTIONARY_WORDS_MAX);
    return buf_ok(&out->content, "the dictionary", err);
}
