/* A cell of a table as text. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/results/export.h"

static char cell[256];

static char *of(const char *text)
{
    struct buf b;
    buf_init(&b, sizeof cell - 1);
    export_csv_text(&b, str_of(text));
    memcpy(cell, b.p, b.n + 1);
    buf_release(&b);
    return cell;
}

Test(export, text_is_quoted_and_its_quotes_are_doubled)
{
    cr_assert(eq(str, of("plain"), "\"plain\""));
    cr_assert(eq(str, of("a,b \"c\"\r\nd"), "\"a,b \"\"c\"\"\r\nd\""));
}

Test(export, what_a_spreadsheet_would_run_gets_an_apostrophe)
{
    cr_assert(eq(str, of("=1+1"), "\"'=1+1\""));
    cr_assert(eq(str, of("+1"), "\"'+1\""));
    cr_assert(eq(str, of("-1"), "\"'-1\""));
    cr_assert(eq(str, of("@SUM(A1)"), "\"'@SUM(A1)\""));
    cr_assert(eq(str, of("\tx"), "\"'\tx\""));
    cr_assert(eq(str, of("\rx"), "\"'\rx\""));
    cr_assert(eq(str, of("a=1"), "\"a=1\""));
    cr_assert(eq(str, of(""), "\"\""));
}
