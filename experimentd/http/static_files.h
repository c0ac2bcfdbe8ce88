/* static_files.h - the page: files of web/dist, read whole at start, with ETags and a strict Content-Security-Policy. */
#pragma once
#include "base/err.h"
#include "experimentd/http/http.h"

/* Reads the directory (at most 200 files of 4 MiB). An empty name or a missing directory serves a page that says so. */
bool static_open(const char *dir, struct err *err) MUSTCHECK;
void static_close(void);
/* GET of any path: the file, or index.html for a path of the page (Accept: text/html), or 404. */
void static_get(struct http_request *req, void *arg);
