/* handlers.h - deletion of units over HTTP. */
#pragma once
#include "experimentd/http/http.h"

void units_delete(struct http_request *req, void *worker);
void units_deletion_get(struct http_request *req, void *worker);
void units_deletions_list(struct http_request *req, void *worker);
