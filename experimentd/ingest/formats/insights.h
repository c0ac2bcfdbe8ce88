/* insights.h - Algolia's Insights API, as search-insights and InstantSearch speak it: POST /1/events {"events": [event…]}.
 * Source: https://www.algolia.com/doc/rest-api/insights/
 *
 * unit = userToken, user = authenticatedUserToken (which stands alone: identity.h); query_id = queryID; one signal an object.
 *
 *   view                      impression
 *   click                     click, with its position (they count from 1)
 *   conversion                conversion; of subtype addToCart: cart, of purchase: purchase
 *                             value: objectData[i].price · quantity; else the event's value, divided by its objects
 *
 * An event with a timestamp is known again by its contents: the format has no id. params: eventName, index, filters, currency. */
#pragma once
#include "experimentd/ingest/formats/foreign.h"

enum { INSIGHTS_EVENTS_MAX = 1000, INSIGHTS_OBJECTS_MAX = 20 };

bool insights_read(struct str body, int64_t received_us, struct arena *arena, foreign_fn fn, void *arg,
                   struct err *err) MUSTCHECK;
