#include "experimentd/resources/rows.h"

static void reply(struct http_request *req, const struct rows_form *form, const PGresult *r,
                  const struct rows_page *page, bool paged)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, form->bytes_max);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    if (page->version)
        jsonw_raw(&w, "version", str_of(page->version));
    jsonw_open(&w, form->list, '[');
    for (int i = 0; i < page->shown; i++)
        form->write(&w, r, i);
    jsonw_close(&w);
    if (paged && (page->next.p || !page->last_without))
        jsonw_str(&w, "next_page_token", page->next);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, form->all ? form->all : "the list");
}

void rows_reply_list(struct http_request *req, const struct rows_form *form, const PGresult *r, const struct err *err)
{
    if (err)
        http_reply_err(req, err);
    else
        reply(req, form, r, &(struct rows_page){ .shown = PQntuples(r) }, false);
}

void rows_reply_one(struct http_request *req, const struct rows_form *form, int status, const PGresult *r)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, form->bytes_max);
    jsonw_init(&w, &b);
    form->write(&w, r, 0);
    http_reply_buf(req, status, &b, form->one);
}

int rows_shown(const PGresult *r, uint32_t limit)
{
    return PQntuples(r) > (int)limit ? (int)limit : PQntuples(r);
}

void rows_reply_page(struct http_request *req, const struct rows_form *form, const PGresult *r,
                     const struct rows_page *page)
{
    reply(req, form, r, page, true);
}

void rows_etag(struct http_request *req, struct str version)
{
    http_reply_header(req, STR("ETag"), arena_printf(&req->arena, "\"" STR_FMT "\"", STR_ARG(version)));
}
