/* sample.h - pure: queries drawn from what was searched.
 *
 *   topn         the most searched
 *   pptss        probability proportional to size: `size` draws with replacement, each query as likely as its share of the searches, each kept once; so
 *                fewer than `size` come out, as of the Search Relevance Workbench's sampler of this name
 *   random       `size` of them, each as likely
 *   stratified   by searches, the most searched first: the head has share `head` of all searches, the torso the next `torso`, the tail the rest; of each,
 *                at random, so many as its share of `size`; what a stratum has not, the others give, the next one first
 *
 * What is drawn depends on the seed and the texts alone, not on an order or on what else was searched (but for pptss, whose shares move).
 * Weights: a weighted mean over the sample estimates the mean over all searches: searches for topn, searches · N/n within its stratum for random and
 * stratified (Horvitz and Thompson, JASA 47, 1952), how often it was drawn for pptss (Hansen and Hurwitz, 1943); or 1. */
#pragma once
#include "base/mem.h"

enum sampling { SAMPLE_TOPN, SAMPLE_PPTSS, SAMPLE_RANDOM, SAMPLE_STRATIFIED };
enum { SAMPLE_STRATA = 3 };

struct sample_query {
    struct str text;
    uint64_t searches;
    double weight; /* 0: not drawn */
    uint8_t stratum;
};
struct sample_rules {
    enum sampling sampling;
    size_t size;
    uint64_t seed;
    double head, torso;           /* shares of searches */
    double head_size, torso_size; /* shares of size */
    bool equal_weights;
};
struct sample_stratum {
    size_t queries, drawn;
    uint64_t searches;
};
/* Queries by text, each once. Sets their weights and strata, and puts the drawn ones first: the most searched first, then by text. Returns how many. */
size_t sample_queries(struct sample_query *queries, size_t count, const struct sample_rules *rules,
                      struct sample_stratum out_strata[SAMPLE_STRATA]);
