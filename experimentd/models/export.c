#include "experimentd/models/export.h"

#include <stdio.h>
#include <stdlib.h>

/* The fewest digits that read back as the same float; all of them do with nine. */
static void put_number(struct buf *b, float v)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v)
            break;
    }
    buf_add_c(b, text);
}

/* ---- CSV ---- */

static void put_field(struct buf *b, struct str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n && plain; i++)
        plain = s.p[i] != '"' && s.p[i] != ',' && s.p[i] != '\n' && s.p[i] != '\r';
    if (plain) {
        buf_add_str(b, s);
        return;
    }
    buf_add_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_byte(b, '"');
        buf_add_byte(b, s.p[i]);
    }
    buf_add_byte(b, '"');
}

static void put_csv_head(const struct lists *l, struct buf *b)
{
    buf_add_c(b, "key,rank,entry");
    for (uint32_t c = 0; c < l->columns; c++) {
        buf_add_byte(b, ',');
        put_field(b, lists_column(l, c));
    }
    buf_add_c(b, "\r\n");
}

static void put_csv_row(const struct lists *l, struct str key, uint32_t rank, uint32_t i, struct buf *b)
{
    put_field(b, key);
    buf_addf(b, ",%u,", rank);
    put_field(b, lists_entry(l, i));
    for (uint32_t c = 0; c < l->columns; c++) {
        buf_add_byte(b, ',');
        put_number(b, lists_value(l, i, c));
    }
    buf_add_c(b, "\r\n");
}

/* ---- JSON lines ---- */

static void put_json_row(const struct lists *l, struct str key, uint32_t rank, uint32_t i, struct buf *b)
{
    buf_add_c(b, "{\"key\":");
    buf_add_json_str(b, key);
    buf_addf(b, ",\"rank\":%u,\"entry\":", rank);
    buf_add_json_str(b, lists_entry(l, i));
    for (uint32_t c = 0; c < l->columns; c++) {
        buf_add_byte(b, ',');
        buf_add_json_str(b, lists_column(l, c));
        buf_add_byte(b, ':');
        put_number(b, lists_value(l, i, c));
    }
    buf_add_c(b, "}\n");
}

void export_lists(const struct lists *l, enum export_format format, struct buf *out)
{
    struct str key;
    struct lists_row row;
    if (format == EXPORT_CSV)
        put_csv_head(l, out);
    for (uint32_t k = 0; !out->failed && lists_key_at(l, k, &key, &row); k++)
        for (uint32_t i = 0; i < row.count; i++)
            (format == EXPORT_CSV ? put_csv_row : put_json_row)(l, key, i + 1, row.first + i, out);
}
