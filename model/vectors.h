/* vectors.h - words as vectors: an artifact of kind "vectors" (job "word2vec"), asked for the nearest of a word, of a text, of a sum of words.
 *
 * Sections:
 *   words          factors.h (FOLD_MEAN): a vector of each word, in the order of how frequent they are
 *   contexts       f32, words × rank: the other half of the model, by which it says how likely words are beside each other
 *   nearest_words  lists.h: word → the words of the greatest cosine; column cosine
 *   documents      factors.h, optional: a vector of each document of the catalogue, the mean of its words'
 *   settings       language and stop words of texts: a line each
 * Pure. */
#pragma once
#include "model/artifact.h"
#include "model/factors.h"
#include "model/lists.h"
#include "model/text_terms.h"

#define VECTORS_KIND "vectors"
enum { VECTORS_N_MAX = 1000 };

struct vectors {
    struct factors words, documents;
    bool has_documents;
    struct lists nearest;
    struct str contexts; /* {NULL, 0}: there are none */
    struct stop_words stop;
    double *word_lengths, *document_lengths; /* of each vector */
};
/* ERR_INVALID when a section is missing or damaged. The artifact's bytes and the arena stay. */
bool vectors_open(const struct artifact *a, struct arena *arena, struct vectors *out, struct err *err) MUSTCHECK;
/* The section "settings". */
bool vectors_settings_write(struct str language, struct str stop_words, struct buf *out, struct err *err) MUSTCHECK;

/* What is asked for: a sum of vectors, each scaled to length 1 before. */
struct vectors_sum {
    float *sum;      /* rank */
    uint32_t *words; /* that were added: they are not among the answers */
    uint32_t words_count, known, asked;
};
void vectors_sum_init(struct vectors_sum *s, const struct vectors *v, struct arena *arena);
/* `sign` 1 or -1; beyond VECTORS_WORDS_MAX words nothing is added. */
enum { VECTORS_WORDS_MAX = 4096 };
void vectors_sum_word(struct vectors_sum *s, const struct vectors *v, struct str word, float sign);
/* The words of a text, as training cuts it. */
void vectors_sum_text(struct vectors_sum *s, const struct vectors *v, struct str text);

struct vectors_near {
    uint32_t number;
    double cosine;
};
/* The n nearest words, or documents; of equal ones the smaller number comes first. Returns how many; 0: nothing of it is known. */
size_t vectors_nearest(const struct vectors *v, const struct vectors_sum *s, bool documents, size_t n,
                       struct arena *arena, struct vectors_near **out);
