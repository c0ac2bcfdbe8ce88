/* edits.h - pure: by which edits a word was mistyped as another, each of a kind, and what they cost together.
 *
 * Of all ways to make `typed` out of `meant` the cheapest is taken (dynamic programming as in distance.h, with costs by kind). A kind is what a hand
 * or an ear does: a letter doubled or not, a vowel for another, a silent letter forgotten, a key beside the right one hit. The cost of a kind is the
 * negative log of how likely it is, as the edits of real misspellings had it (bench/quality/spelling_fit.py: the table is its output). */
#pragma once
#include "trainer/kernels/spelling/letters.h"

enum edit_kind {
    EDIT_SWAP,         /* two letters that are side by side: "teh" */
    EDIT_DOUBLED,      /* a letter typed twice: "untill" */
    EDIT_UNDOUBLED,    /* one of two equal letters left out: "acess" */
    EDIT_NO_VOWEL,     /* a vowel left out: "diffrent" */
    EDIT_NO_SILENT,    /* a letter left out that is not heard: "wich", "nife", "therefor" */
    EDIT_NO_LETTER,    /* another one left out */
    EDIT_MORE_VOWEL,   /* a vowel added */
    EDIT_MORE_SILENT,  /* a letter added that is not heard: "whent", "truely" */
    EDIT_MORE_NEAR,    /* the key beside hit as well: "keyb" */
    EDIT_MORE_LETTER,  /* another one added */
    EDIT_OTHER_VOWEL,  /* a vowel for another: "seperate" */
    EDIT_OTHER_ALIKE,  /* a consonant that sounds alike: "konsert" */
    EDIT_OTHER_NEAR,   /* the key beside: "lamo" */
    EDIT_OTHER_LETTER, /* another one */
    EDIT_ACCENT,       /* the same letter with another accent, or none */
    EDIT_SPLIT,        /* a space added: "note book" */
    EDIT_JOINED,       /* a space left out: "tablelamp" */
    EDIT_MARK,         /* an apostrophe, hyphen or other sign left out, added, taken for another */
    EDIT_FIRST,        /* one more cost when the first letters differ */
    EDIT_LAST,         /* … when the last ones do */
    EDIT_KIND_COUNT
};
extern const double edit_costs[EDIT_KIND_COUNT];

struct edits {
    uint8_t of[EDIT_KIND_COUNT]; /* how many of each kind */
    double cost;                 /* of all but EDIT_FIRST and EDIT_LAST, by `costs` */
};
void edits_find(const struct letters *meant, const struct letters *typed, const double *costs, struct edits *out);
