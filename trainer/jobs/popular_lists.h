/* popular_lists.h - the section "popular" of a recommender: the items that are had most, of all and of each category of the catalogue.
 *
 * score = weight · units/(units + shrink): weight is Σ of the decayed weights of the units that had it, so an item that one busy unit lifted counts
 * little. Parameters of the run, each optional: popular_top, popular_shrink, category_field. */
#pragma once
#include "trainer/jobs/recommender.h"

bool popular_lists_add(struct recommender_job *j, struct err *err) MUSTCHECK;
