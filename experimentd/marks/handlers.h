/* handlers.h - /v1/marks: which units are marked, and why; a person's word about one. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

/* {"rules", "counts", "units", "next_page_token"}; ?mark=, ?page_token= */
void marks_list(struct http_request *req, void *arg);
void marks_put(struct http_request *req, void *arg); /* {"mark": "hand" | "none", "note"?} */
void marks_delete(struct http_request *req, void *arg);
