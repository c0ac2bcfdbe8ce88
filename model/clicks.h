/* clicks.h - an artifact of kind "clicks": what a click model learned of documents, and what all queries share, as passes judge it and the daemon serves it.
 *
 *   parameters  lists: key: name of a model; entries: its parameters (click_each_parameter), and "positions"; column `value`. The first key is the model of:
 *   documents   lists: key: query; entries: documents, the most relevant first; columns `relevance`, `attractiveness`, `satisfaction`, `low`, `high` (a 95 %
 *               interval of relevance), `sessions` (searches that showed it), `clicks`
 *   propensity  lists: key: name of a model, or "swaps" (measured where the order was drawn at random); entries "1", "2" …; column `examination`: how much more
 *               rarely a position is looked at than the first one
 *   models      JSON text: {"chosen", "swaps"?, model: {parameters, loglikelihood, perplexity, perplexity_at_rank, …}}, for people and pages
 *   card        as of all */
#pragma once
#include "model/artifact.h"
#include "model/click_model.h"
#include "model/lists.h"

#define CLICKS_KIND "clicks"

struct clicks {
    enum click_model model;
    struct click_globals g;
    struct lists documents;
    uint32_t alpha, sigma; /* columns */
};
/* Borrows the artifact's bytes. Fails when it is none of this kind, or lacks a section. */
bool clicks_open(const struct artifact *a, struct clicks *out, struct err *err) MUSTCHECK;
/* Of entry i of `documents`. */
struct click_params clicks_params(const struct clicks *c, uint32_t i);
/* The section "parameters": the models in this order. */
void clicks_write_parameters(const struct click_globals *g, const enum click_model *models, size_t count,
                             struct lists_out *out);
