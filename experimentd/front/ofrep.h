/* ofrep.h - OpenFeature's remote evaluation protocol (OFREP 0.3.0): flags are the features of the payload.
 *
 * The unit is the context's targetingKey, its other members are attributes. A flag whose value is null has no "value" in its answer: the
 * caller's own default counts. Its errors are the protocol's ({"errorCode", "errorDetails"}), but a request without a key gets 401. */
#pragma once
#include "experimentd/http/routes.h"

void ofrep_flag(struct http_request *req, void *arg);   /* POST /ofrep/v1/evaluate/flags/{key} */
void ofrep_flags(struct http_request *req, void *arg);  /* POST /ofrep/v1/evaluate/flags */
void ofrep_events(struct http_request *req, void *arg); /* GET /ofrep/v1/events/{client_key} */
