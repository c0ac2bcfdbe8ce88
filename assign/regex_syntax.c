/* What both languages spell alike is copied. The rest: possessive quantifiers, inline flags, verbs and comments are errors in JavaScript;
 * letters that only PCRE2 gives a meaning ("\A", "\Q", "\h") stand for themselves; "[:alpha:]" is no class; "." and "\s" know Unicode. */
#include "assign/regex_syntax.h"

#include <stdio.h>

#include "assign/arena.h"
#include "assign/text.h"

#define NO_LINE_END "\\n\\r\\u2028\\u2029"
#define SPACES "\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"

enum { NESTING_MAX = 200, LONGEST_PIECE = 80, OCTAL_MAX = 0xFF };

struct translator {
    struct assign_text in;
    size_t at;
    struct assign_arena *arena;
    char *out;
    size_t n, room;
    unsigned groups;          /* in the whole pattern */
    bool names, failed;       /* names: there is a named group, so that \k means one */
    bool quantifiable;        /* what was read last may be repeated */
    bool behind[NESTING_MAX]; /* whether an open group is a lookbehind, which may not be repeated */
    unsigned depth;
};

static char peek(const struct translator *t, size_t ahead)
{
    return t->at + ahead < t->in.n ? t->in.p[t->at + ahead] : '\0';
}

static bool more(const struct translator *t)
{
    return t->at < t->in.n && !t->failed;
}

static void put(struct translator *t, const char *p, size_t n)
{
    if (t->room - t->n < n) {
        size_t room = t->room * 2 + n + LONGEST_PIECE;
        char *wider = assign_alloc(t->arena, room);
        if (!wider) {
            t->failed = true;
            return;
        }
        if (t->n)
            memcpy(wider, t->out, t->n);
        t->out = wider;
        t->room = room;
    }
    memcpy(t->out + t->n, p, n);
    t->n += n;
}

static void put_text(struct translator *t, const char *text)
{
    put(t, text, strlen(text));
}

static void copy(struct translator *t, size_t n)
{
    put(t, t->in.p + t->at, n);
    t->at += n;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* ---- escapes ---- */

/* \1: a group that there is, or a character by its octal number, or the digit. */
static void translate_number(struct translator *t, bool in_class)
{
    char text[LONGEST_PIECE];
    unsigned v = 0;
    size_t n = 0;
    for (size_t i = 1; is_digit(peek(t, i)) && i < 5; i++)
        v = v * 10 + (unsigned)(peek(t, i) - '0');
    if (!in_class && v > 0 && v <= t->groups && peek(t, 1) != '0') {
        (void)snprintf(text, sizeof text, "\\g{%u}", v);
        put_text(t, text);
        while (is_digit(peek(t, ++n))) {
        }
        t->at += n;
        return;
    }
    v = 0;
    for (n = 1; n < 4 && peek(t, n) >= '0' && peek(t, n) <= '7' && v * 8 + (unsigned)(peek(t, n) - '0') <= OCTAL_MAX;
         n++)
        v = v * 8 + (unsigned)(peek(t, n) - '0');
    if (n == 1) { /* \8, \9 */
        t->at++;
        copy(t, 1);
        return;
    }
    (void)snprintf(text, sizeof text, "\\x%02x", v);
    put_text(t, text);
    t->at += n;
}

/* "\s": within a class its members, else a class of its own. "\S" within a class stays PCRE2's, of ASCII. */
static bool translate_space(struct translator *t, bool in_class)
{
    char c = peek(t, 1);
    if (c != 's' && (c != 'S' || in_class))
        return false;
    put_text(t, in_class ? SPACES : c == 's' ? "[" SPACES "]" : "[^" SPACES "]");
    t->at += 2;
    return true;
}

static void translate_control(struct translator *t)
{
    if (is_letter(peek(t, 2))) {
        copy(t, 3);
        return;
    }
    put_text(t, "\\\\");
    t->at++;
}

static void translate_escape(struct translator *t, bool in_class)
{
    char c = peek(t, 1);
    if (t->at + 1 >= t->in.n) {
        t->failed = true;
    } else if (translate_space(t, in_class)) {
    } else if (is_digit(c)) {
        translate_number(t, in_class);
    } else if (c == 'c') {
        translate_control(t);
    } else if (c == 'v') {
        put_text(t, "\\x0b");
        t->at += 2;
    } else if (strchr("dDwWSfnrtxu", c) || (c == 'b' || (c == 'B' && !in_class)) ||
               (c == 'k' && t->names && !in_class) || !is_letter(c)) {
        if ((unsigned char)c >= 0x80) /* a character of several bytes: the bar goes, the character stays */
            t->at++;
        else
            copy(t, 2);
    } else {
        t->at++;
        copy(t, 1);
    }
}

/* ---- classes ---- */

static bool is_class_escape(const struct translator *t, size_t ahead)
{
    return peek(t, ahead) == '\\' && peek(t, ahead + 1) && strchr("dDwWsS", peek(t, ahead + 1));
}

static void translate_class(struct translator *t)
{
    bool after_escape = false, first = true;
    copy(t, peek(t, 1) == '^' ? 2 : 1);
    while (more(t) && t->in.p[t->at] != ']') {
        char c = t->in.p[t->at];
        bool escape = is_class_escape(t, 0);
        if (c == '\\') {
            translate_escape(t, true);
        } else if (c == '-' && !first && (after_escape || is_class_escape(t, 1))) {
            put_text(t, "\\-");
            t->at++;
        } else {
            if (c == '[')
                put_text(t, "\\");
            copy(t, 1);
        }
        after_escape = escape;
        first = false;
    }
    if (!more(t))
        t->failed = true;
    else
        copy(t, 1);
    t->quantifiable = true;
}

/* ---- groups and quantifiers ---- */

static void translate_open(struct translator *t)
{
    size_t n = 1;
    bool behind = false;
    if (peek(t, 1) == '*' || t->depth == NESTING_MAX) {
        t->failed = true;
        return;
    }
    if (peek(t, 1) == '?') {
        behind = peek(t, 2) == '<' && (peek(t, 3) == '=' || peek(t, 3) == '!');
        bool named = peek(t, 2) == '<' && !behind;
        n = behind ? 4 : named ? 3 : 3;
        t->failed = !peek(t, 2) || !strchr(":=!<", peek(t, 2));
    }
    if (t->failed)
        return;
    t->behind[t->depth++] = behind;
    copy(t, n);
    t->quantifiable = false;
}

static void translate_close(struct translator *t)
{
    if (t->depth == 0) {
        t->failed = true;
        return;
    }
    t->quantifiable = !t->behind[--t->depth];
    copy(t, 1);
}

/* The length of "{n}", "{n,}" or "{n,m}", or 0: a brace that stands for itself. */
static size_t brace_length(const struct translator *t)
{
    size_t n = 1, digits = 0;
    for (; is_digit(peek(t, n)); n++)
        digits++;
    if (!digits)
        return 0;
    if (peek(t, n) == ',')
        for (n++; is_digit(peek(t, n));)
            n++;
    return peek(t, n) == '}' ? n + 1 : 0;
}

static void translate_quantifier(struct translator *t, size_t n)
{
    if (!t->quantifiable) {
        t->failed = true;
        return;
    }
    copy(t, n);
    if (peek(t, 0) == '?')
        copy(t, 1);
    t->quantifiable = false;
}

static void translate_brace(struct translator *t)
{
    size_t n = brace_length(t);
    if (n) {
        translate_quantifier(t, n);
        return;
    }
    put_text(t, "\\{");
    t->at++;
    t->quantifiable = true;
}

/* ---- the whole ---- */

static void count_groups(struct translator *t)
{
    bool in_class = false;
    for (size_t i = 0; i < t->in.n; i++) {
        char c = t->in.p[i], next = i + 1 < t->in.n ? t->in.p[i + 1] : '\0',
             third = i + 2 < t->in.n ? t->in.p[i + 2] : '\0', fourth = i + 3 < t->in.n ? t->in.p[i + 3] : '\0';
        bool named = next == '?' && third == '<' && fourth != '=' && fourth != '!';
        if (c == '\\')
            i++;
        else if (c == '[' || c == ']')
            in_class = c == '[';
        else if (c == '(' && !in_class && (next != '?' || named)) {
            t->groups++;
            t->names = t->names || named;
        }
    }
}

static void translate_one(struct translator *t)
{
    char c = t->in.p[t->at];
    bool assertion = c == '^' || c == '$' || (c == '\\' && (peek(t, 1) | 32) == 'b');
    switch (c) {
    case '(':
        translate_open(t);
        return;
    case ')':
        translate_close(t);
        return;
    case '[':
        translate_class(t);
        return;
    case '*':
    case '+':
    case '?':
        translate_quantifier(t, 1);
        return;
    case '{':
        translate_brace(t);
        return;
    case '\\':
        translate_escape(t, false);
        break;
    case '.':
        put_text(t, "[^" NO_LINE_END "]");
        t->at++;
        break;
    default:
        copy(t, 1);
    }
    t->quantifiable = !assertion && c != '|';
}

bool assign_regex_translate(struct assign_text pattern, struct assign_arena *arena, struct assign_text *out)
{
    struct translator t = { .in = pattern, .arena = arena };
    count_groups(&t);
    while (more(&t))
        translate_one(&t);
    *out = (struct assign_text){ t.out ? t.out : "", t.n };
    return !t.failed && t.depth == 0;
}
