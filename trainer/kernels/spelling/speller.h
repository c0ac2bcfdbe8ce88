/* speller.h - pure: which word or phrase of the head (head.h) somebody meant who typed another, and how sure that is.
 *
 * The noisy channel (Kernighan, Church, Gale 1990): of all that lies near, the most probable of what was meant, given what was typed. As a sum,
 *
 *   score = counts · log P(meant | words beside it)  −  Σ costs of the edits (edits.h)  +  sounds the same  −  distance of the sounds
 *           +  log(1 + how often the next search of the same session had it instead)
 *
 *   P(c) = (searches with c + W · share of c in the dictionary) / (all searches + W),  W: what the dictionary weighs, in searches
 *   P(c | n) = (1 − context) P(c) + context · searches(n c) / searches(n),   of all words n that stood beside it, by how often
 *
 * with weights that were fitted on misspellings whose correction is known (docs/model-quality.md). `probability` is the softmax of the scores: of all
 * that could have been meant, this. `confidence` is that times how much speaks for a misspelling at all, odds / (1 + odds),
 *
 *   odds = searches with the correction (of two words that nobody searched together: so many as chance would have) for one with what was typed, at
 *          least KNOWN_ODDS where a dictionary has one and not the other
 *          · (1 + 9 · share of searches with what was typed that found nothing) · (1 + corrections within sessions)
 *          · clicks per search with the correction over those with what was typed, from 1/5 to 5
 *
 * What differs in a digit is no misspelling; nor is what differs by a plural s at its end, unless a dictionary lists one and not the other. */
#pragma once
#include "trainer/kernels/spelling/head.h"

struct spell_rules {
    uint32_t max_distance;
    uint32_t min_prefix;  /* so many letters at the beginning have to be the same */
    uint32_t min_letters; /* of what was typed */
    double length_scale;  /* distance ≤ letters of what was typed / length_scale; 0: whatever its length */
    uint64_t least_word,
        least_phrase;      /* searches with a correction of one word, of several, that no dictionary lists */
    uint64_t least_clicks; /* clicks with it */
    double ratio; /* searches with the correction ≥ ratio · searches with what was typed; 0: not asked for */
    double counts, edits, sound, last; /* how much evidence of each kind weighs; 1: as it was fitted */
    double sessions;
    double context;    /* 0 … 1 */
    double dictionary; /* W, in searches */
    bool has_dictionary;
};
extern const struct spell_rules spell_rules_default; /* without a dictionary */

struct spell_beside {
    struct str word;
    bool before; /* it stood before what was typed, else behind it */
    uint64_t searches;
};
struct spell_next {
    struct str text; /* what stood in the next search instead */
    uint64_t count;
};
struct spell_typed {
    struct str text; /* a word, or two with a space between them */
    uint64_t searches, clicks, zero_results;
    const struct spell_beside *beside;
    uint32_t beside_count;
    const struct spell_next *next;
    uint32_t next_count;
};

struct spell_meant {
    struct str text; /* borrowed from the head, or from the speller until its next call */
    uint32_t distance;
    uint64_t searches, clicks, listed, next;
    bool sounds_same;
    bool split;      /* two words that are known one by one, not together */
    double expected; /* searches with both of these, were it by chance; 0: no split */
    /* What was typed is several words, each searched often or listed: only what people did tells that they were not meant. */
    bool words_known;
    double edit_cost, score, probability, confidence;
};

struct speller;
struct speller *speller_new(const struct head *head, const struct spell_rules *rules);
void speller_free(struct speller *s);
DEFINE_AUTO(struct speller *, speller_free)
/* The best; false: there is none, or what was typed is listed itself. */
bool spell_correct(struct speller *s, const struct spell_typed *typed, struct spell_meant *out);
