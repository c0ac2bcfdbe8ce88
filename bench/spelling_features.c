/* spelling_features DICTIONARY COSTS: for each line "wrong<TAB>right" of standard input, what the speller sees of each word near to the wrong one, as rows
 * of floats on standard output: number of the line, is it the right one, distance, ln of its share of the dictionary, sounds the same, distance
 * of the sounds, and how often each kind of edit. bench/quality/spelling_fit.py reads them. COSTS: a file with a cost for each kind. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "trainer/kernels/spelling/distance.h"
#include "trainer/kernels/spelling/edits.h"
#include "trainer/kernels/spelling/head.h"
#include "trainer/kernels/spelling/sound.h"

enum { MOST = 3, ALIKE = 4, LINE_MAX_BYTES = 1024, FACTS = 6, SOUND_APART_MAX = 8 };

static bool read_dictionary(const char *path, struct buf *bytes, struct head *out, struct err *err)
{
    char line[LINE_MAX_BYTES];
    struct head_out o;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(err, ERR_SYSTEM, "%s cannot be read", path);
    head_begin(&o, MOST);
    while (fgets(line, sizeof line, f)) {
        struct str text = str_trim(str_of(line)), word;
        struct head_term term = { .searches = 0 };
        if (str_starts(text, STR("\xEF\xBB\xBF")))
            text = (struct str){ text.p + 3, text.n - 3 };
        if (str_split(&text, ' ', &word) && parse_u64(text, &term.listed, NULL)) {
            term.text = word;
            head_add(&o, &term);
        }
    }
    (void)fclose(f);
    bool ok = head_end(&o, bytes, err) && head_read(buf_str(bytes), out, err);
    head_release(&o);
    return ok;
}

static bool read_costs(const char *path, double *out, struct err *err)
{
    FILE *f = fopen(path, "re");
    int read = 0;
    while (f && read < EDIT_KIND_COUNT && fscanf(f, "%lf", &out[read]) == 1)
        read++;
    if (f)
        (void)fclose(f);
    return read == EDIT_KIND_COUNT || err_set(err, ERR_SYSTEM, "%s has not %d costs", path, EDIT_KIND_COUNT);
}

struct features {
    const struct head *head;
    struct head_search search;
    double costs[EDIT_KIND_COUNT];
};

static void write_row(const struct features *f, float number, const struct letters *wrong, struct str right,
                      const struct head_near *near)
{
    float row[FACTS + EDIT_KIND_COUNT];
    struct head_term t = head_term(f->head, near->term);
    struct letters meant, a, b;
    struct edits e;
    if (!letters_of(t.text, &meant))
        return;
    edits_find(&meant, wrong, f->costs, &e);
    sound_key(&meant, &a);
    sound_key(wrong, &b);
    uint32_t apart = letters_distance(&a, &b, SOUND_APART_MAX);
    row[0] = number;
    row[1] = str_eq(t.text, right);
    row[2] = (float)near->distance;
    row[3] = (float)log((double)t.listed / (double)f->head->dictionary);
    row[4] = apart == 0;
    row[5] = (float)apart;
    for (int k = 0; k < EDIT_KIND_COUNT; k++)
        row[FACTS + k] = e.of[k];
    (void)fwrite(row, sizeof row, 1, stdout);
}

/* Words of the dictionary are never corrected: they say nothing. */
static void write_line(struct features *f, float number, char *line)
{
    struct str text = str_trim(str_of(line)), wrong;
    struct letters letters;
    uint32_t term;
    if (!str_split(&text, '\t', &wrong) || !letters_of(wrong, &letters) || head_find(f->head, wrong, &term))
        return;
    head_near(&f->search, &letters, MOST, ALIKE);
    for (uint32_t i = 0; i < f->search.count; i++)
        write_row(f, number, &letters, text, &f->search.found[i]);
}

int main(int argc, char **argv)
{
    char line[LINE_MAX_BYTES];
    struct features f;
    struct head head;
    struct buf bytes;
    struct err err;
    if (argc != 3 || !read_dictionary(argv[1], &bytes, &head, &err) || !read_costs(argv[2], f.costs, &err)) {
        (void)fprintf(stderr, "spelling_features: %s\n", argc == 3 ? err.text : "usage: DICTIONARY COSTS");
        return 1;
    }
    f.head = &head;
    head_search_init(&f.search, &head);
    for (float number = 0; fgets(line, sizeof line, stdin); number++)
        write_line(&f, number, line);
    head_search_release(&f.search);
    buf_release(&bytes);
    return 0;
}
