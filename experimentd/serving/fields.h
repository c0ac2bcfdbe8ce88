/* fields.h - what a request of serving holds, from a query string or from a JSON object, by one table of fields. */
#pragma once
#include "assign/assign.h"
#include "experimentd/http/http.h"

enum field_type {
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_LIST, /* in a query string the field is repeated: exclude=a&exclude=b */
    FIELD_JSON  /* an object; in a query string its text */
};
struct field {
    const char *name;
    enum field_type type;
};
enum { FIELDS_MAX = 24, FIELD_LIST_MAX = 1000 };

/* Fills out[count]: MISSING what is not there, or null. The first unknown, doubled or ill-typed field fails, named. In the request's arena. */
bool fields_of_query(struct http_request *req, const struct field *fields, size_t count, struct assign_value *out,
                     struct err *err) MUSTCHECK;
bool fields_of_object(const struct assign_value *object, const struct field *fields, size_t count,
                      struct assign_value *out, struct err *err) MUSTCHECK;
/* The body when it is a POST, else the query string. */
bool fields_of_request(struct http_request *req, const struct field *fields, size_t count, struct assign_value *out,
                       struct err *err) MUSTCHECK;

/* {NULL, 0} when missing. */
struct str field_text(const struct assign_value *v);
bool field_bool(const struct assign_value *v, bool missing);
/* A number in [low, high], whole when `whole`; `missing` when it is not there. */
bool field_number(const struct assign_value *v, const char *name, double low, double high, bool whole, double missing,
                  double *out, struct err *err) MUSTCHECK;
/* A text of at most so many bytes, UTF-8; {NULL, 0} when missing and not required. */
bool field_short(const struct assign_value *v, const char *name, bool required, size_t max_bytes, struct str *out,
                 struct err *err) MUSTCHECK;
/* The model that a request names, and its alias: "model@alias" is both; without an alias it is the champion. */
bool field_model(const struct assign_value *model, const struct assign_value *alias, struct str *out_model,
                 struct str *out_alias, struct err *err) MUSTCHECK;
