/* ubi.h - User Behavior Insights 1.0 to 1.3, read leniently: the published schemas refuse the events that real clients send.
 *
 * unit = client_id, else user_id, else session_id: experiments randomise on the id that the front end also gave to /v1/assign, and
 * the client id is the one that survives a login. null and "" are absent. Also read: the camelCase objects of the OpenSearch plugin,
 * ids inside event_attributes, timestamps as text or number, positions as {"ordinal": n} or {"ordinal": {"index": n}}.
 * An ordinal is stored as the position when it is at least 1, and always in params; a 0 says that the application counts from 0 and
 * its position is left unknown here.
 * A query becomes a "request"; with hit ids known also a "response" whose value is their number and whose params.docs they are. Actions: click, item_click,
 * click_through, product_click → click; add_to_cart → cart; search, on_search → search; the rest keep their names.
 * params are the attributes as sent, "application", and "action_name" where it is not the type.
 * query_attributes with experiment (or experiment_id) and variant (or variation) also yield an exposure. */
#pragma once
#include "experimentd/ingest/formats/foreign.h"

enum ubi_kind { UBI_EVENTS, UBI_QUERIES, UBI_EITHER }; /* EITHER: an event has an action_name */

/* An object or an array of objects. False when the body is no JSON or neither. */
bool ubi_read(struct str body, enum ubi_kind kind, int64_t received_us, struct arena *arena, foreign_fn fn, void *arg,
              struct err *err) MUSTCHECK;
