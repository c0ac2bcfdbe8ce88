/* segment.h - the Segment protocol (HTTP tracking API, e-commerce spec v2), as Segment's and RudderStack's SDKs speak it.
 *
 * POST /v1/batch {"batch": [event…], "sentAt"}, or one event at /v1/track, identify, page, screen, group, alias.
 * Source: https://www.twilio.com/docs/segment/connections/sources/catalog/libraries/server/http-api and …/connections/spec/ecommerce/v2
 *
 * unit = anonymousId (of an alias: previousId), user = userId; of an event with userId only the unit is looked up (identity.h). A client's clock that is off by more than a minute is corrected by Segment's rule: at = received −
 * (sentAt − timestamp). Below that the difference is mostly the way, or a retry: RudderStack's Node SDK keeps sentAt when it sends again.
 * A repeat is found by messageId, which SDKs keep when they send again.
 *
 *   Products Searched                 request, and response when results_count is there      query_id: its property, else messageId
 *   Product List Viewed, … Filtered   impression, one a product
 *   Product Clicked, Product Viewed   click, view
 *   Product Added                     cart                                                    value: price · quantity
 *   Order Completed                   purchase, one a product that has a price; else one      value: price · quantity; else revenue or total
 *   Experiment Viewed                 exposure
 *   any other name                    its name in lower case with "_" for spaces              value: properties.value or revenue
 *   page, screen, group, identify, alias   signals of these names; traits are not kept
 *
 * params are the event's properties. */
#pragma once
#include "experimentd/ingest/formats/foreign.h"

/* `single`: the type of one event ("track", …); NULL: a batch. False when the body as a whole cannot be read. */
bool segment_read(struct str body, const char *single, int64_t received_us, struct arena *arena, foreign_fn fn,
                  void *arg, struct err *err) MUSTCHECK;
/* The body's "writeKey", where clients put their key when they send no header; {NULL, 0}: none. */
struct str segment_key(struct str body, struct arena *arena);
