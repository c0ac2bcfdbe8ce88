/* click_model.h - pure: the click models, and what they know besides documents.
 *
 * Positions are r = 0 … n-1 of a list; C_r: the document there was clicked, E_r: it was looked at. α and σ are of a query and a document.
 *
 *   gctr, rctr, dctr   P(C) = ρ; ρ_r; ρ of query and document                                             (Craswell et al. 2008; PyClick's names)
 *   coec               ρ_r · clicks / Σ ρ of where it was shown, of query and document                    (Zhang, Jones 2007)
 *   pbm                P(C) = γ_r α                                                                       (Richardson et al. 2007)
 *   ubm                P(C) = γ_{r,p} α, p: the place of the click before r, or none                      (Dupret, Piwowarski 2008)
 *   cm                 from the top down to the first click, P(C | E) = α                                 (Craswell et al. 2008)
 *   dcm                as cm; after a click at r goes on with λ_r                                         (Guo et al. 2009)
 *   dbn                goes on with g, after a click with g (1 - σ)                                       (Chapelle, Zhang 2009)
 *   sdbn               dbn with g = 1
 *   ccm                goes on with τ1; after a click with τ2 (1 - α) + τ3 α                              (Guo et al. 2009)
 *
 * In all but the first four E_0 = 1: the first document is looked at. Without that, attractiveness and examination are known up to a factor alone.
 *
 * pbm, ubm, dbn and ccm are learned by EM, whose latent variables are E (and S: satisfied); the others have closed forms, as published. Priors: α and ρ of
 * documents begin with `prior` sessions of the mean; σ with `prior` clicks of 1/2; all that is of no document with one success and one failure. What EM never
 * lets fall is log-likelihood + log prior. */
#pragma once
#include "base/str.h"

enum click_model {
    CLICK_GCTR,
    CLICK_RCTR,
    CLICK_DCTR,
    CLICK_COEC,
    CLICK_CM,
    CLICK_DCM,
    CLICK_SDBN,
    CLICK_PBM,
    CLICK_UBM,
    CLICK_DBN,
    CLICK_CCM,
    CLICK_MODEL_COUNT
};
const char *click_model_name(enum click_model m);
/* CLICK_MODEL_COUNT: there is none of this name. */
enum click_model click_model_named(struct str name);
/* Parameters of documents come from expectation maximisation. */
static inline bool click_model_is_em(enum click_model m)
{
    return m >= CLICK_PBM;
}

enum { CLICK_POSITIONS = 50, CLICK_SLOTS = CLICK_POSITIONS * (CLICK_POSITIONS + 1) / 2 };
#define CLICK_FLOOR 1e-6 /* least probability of what a model excludes: a second click in cm, all clicks in coec */

/* The slot of ubm's γ: position r from 0, `before` 0 without a click before it, else its position from 1 (at most r). */
static inline uint32_t click_slot(uint32_t r, uint32_t before)
{
    return r * (r + 1) / 2 + before;
}

/* What all queries share: a blob of passes, as it lies in memory. */
struct click_globals {
    uint32_t positions; /* lists have at most so many documents */
    uint32_t active;    /* bit m: EM still improves model m */
    uint32_t sweeps;    /* so many times documents are improved in a pass */
    uint32_t unused;
    double prior; /* strength */
    double mean;  /* of attractiveness, before anything is known of a document: clicks of first positions by sessions */
    double ctr, ctr_at[CLICK_POSITIONS];
    double pbm[CLICK_POSITIONS], ubm[CLICK_SLOTS], dbn, ccm[3], dcm[CLICK_POSITIONS];
};
/* What is assumed before the first pass; ctr, ctr_at and dcm come from counts. */
void click_globals_init(struct click_globals *g, uint32_t positions, double prior);

/* Of one document for one query. */
struct click_params {
    double alpha, sigma; /* sigma: dbn and sdbn, else 1 */
};
/* What is assumed of a document that nothing is known of. */
struct click_params click_params_unknown(enum click_model m, const struct click_globals *g);

/* P(C), of the models that need no more (gctr … ubm, but cm). key: of ubm the slot, else the position. */
double click_probability(enum click_model m, const struct click_globals *g, double alpha, uint32_t key);
/* Probability of going on after a click, of the models that do so by document; and after none. */
double click_after(enum click_model m, const struct click_globals *g, const struct click_params *p);
double click_on(enum click_model m, const struct click_globals *g);
double click_within(double p); /* from CLICK_FLOOR to 1 - CLICK_FLOOR */
/* Of each position of a list: P(C_r) and P(E_r), before anything is clicked. docs: of each position, its number in p. */
void click_expect(enum click_model m, const struct click_globals *g, const struct click_params *p, const uint32_t *docs,
                  uint32_t n, double *out_clicked, double *out_looked);
/* The parameters that all queries share, by name: for pbm, rctr, coec, dcm positions "1", "2" …; for ubm "3.1" (position, click before; "3.0": none); "continue"
 * of dbn, "continue", "after_click", "after_relevant" of ccm; and of all "mean": what is assumed of a document. `value` points into g. */
typedef void (*click_parameter_fn)(void *arg, struct str name, double *value);
void click_each_parameter(enum click_model m, struct click_globals *g, click_parameter_fn fn, void *arg);
