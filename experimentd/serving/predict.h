/* predict.h - POST /v1/models/{name}/predict: several requests of a model at once, by its kind.
 *
 *   {"alias"?, "inputs": [{…}]} → {"model", "alias", "version", "predictions": [{…}]}
 *
 * An input is what the route of the kind takes (/v1/recommend, /v1/boosts, /v1/rewrite, /v1/rank), without model and alias, or what classify_ask.h,
 * clusters_ask.h and vectors_ask.h say; a prediction is what it answers. All inputs are answered from one version. The first bad one fails the
 * whole request, naming its place. To serve another kind: a row in predict.c. */
#pragma once
#include "experimentd/http/http.h"

enum { PREDICT_INPUTS_MAX = 100 };

void serve_predict(struct http_request *req, void *worker);
