/* write.h - answers of serving as JSON, without a JSON library: these are the hot ways. */
#pragma once
#include "experimentd/serving/ask.h"

/* A number with six significant digits: what models compute in floats says no more. 12.3457, 1.5e-7; null when it is not finite. */
void write_score(struct buf *out, double v);
/* The same with nine digits, which read back as the same float. */
void write_float(struct buf *out, float v);
/* {"model":…,"alias":…,"version":…, without the closing brace */
void write_model(struct buf *out, const struct serving_entry *e);
void write_recommendations(const struct recommend_ask *ask, const struct serving_entry *e,
                           const struct recommend_answer *answer, struct buf *out);
