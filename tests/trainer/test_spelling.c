/* Spelling: distances against the plain definition, what is near against looking at every word, kinds of edits, sounds, and what was meant. Whatever
 * bytes come, nothing is read that is not there (the sanitizers see to it). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/kernels/spelling/distance.h"
#include "trainer/kernels/spelling/edits.h"
#include "trainer/kernels/spelling/sound.h"
#include "trainer/kernels/spelling/speller.h"

enum { ROUNDS = 4000, WORDS = 1500, TEXT_MAX = 400, MORE = 99 };

/* ---- random words: the same in every run ---- */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % below;
}

/* Few letters, so that words are near to each other; some of two and three bytes. */
static struct str random_word(char *out, uint32_t letters_max)
{
    static const char *const alphabet[] = { "a", "b", "c", "e", "é", "ж", "日", "h", " " };
    size_t n = 0;
    uint32_t letters = 1 + draw(letters_max);
    for (uint32_t i = 0; i < letters; i++) {
        const char *c = alphabet[draw(i == 0 || i + 1 == letters ? COUNT_OF(alphabet) - 1 : COUNT_OF(alphabet))];
        memcpy(out + n, c, strlen(c));
        n += strlen(c);
    }
    return (struct str){ out, n };
}

static struct letters letters(const char *text)
{
    struct letters w;
    cr_assert(letters_of(str_of(text), &w), "%s", text);
    return w;
}

/* ---- letters ---- */

Test(spelling, letters_are_code_points)
{
    struct letters w = letters("né日");
    cr_assert(eq(u32, w.n, 3));
    cr_assert(eq(u32, w.at[1], 0xE9));
    cr_assert(eq(u32, w.at[2], 0x65E5));
    cr_assert(eq(chr, letter_base(0xE9), 'e'));
    cr_assert(eq(chr, letter_base(0x17E), 'z')); /* the last but one of the table, and its middle */
    cr_assert(eq(chr, letter_base(0x142), 'l'));
    cr_assert(eq(chr, letter_base(0x151), 'o'));
    cr_assert(eq(chr, letter_base(0x159), 'r'));
    cr_assert(eq(chr, letter_base(0x171), 'u'));
    cr_assert(eq(chr, letter_base(0x436), 0));
}

Test(spelling, what_is_no_word_is_refused)
{
    char longer[LETTERS_MAX + 2];
    struct letters w;
    memset(longer, 'a', sizeof longer);
    cr_assert(not(letters_of(STR(""), &w)));
    cr_assert(not(letters_of(STR("a\xff"), &w)));
    cr_assert(not(letters_of(STR("\xe6\x97"), &w)));
    cr_assert(not(letters_of((struct str){ "a\0b", 3 }, &w)));
    cr_assert(not(letters_of((struct str){ longer, LETTERS_MAX + 1 }, &w)));
    cr_assert(letters_of((struct str){ longer, LETTERS_MAX }, &w));
}

/* ---- distance ---- */

/* The definition, over all prefixes. */
static uint32_t plain_distance(const struct letters *a, const struct letters *b)
{
    uint32_t d[LETTERS_MAX + 1][LETTERS_MAX + 1];
    for (uint32_t i = 0; i <= a->n; i++)
        for (uint32_t j = 0; j <= b->n; j++) {
            d[i][j] = i && j ? UINT32_MAX : i + j;
            if (i && j) {
                uint32_t other = d[i - 1][j - 1] + (a->at[i - 1] != b->at[j - 1]);
                d[i][j] = other < d[i - 1][j] + 1 ? other : d[i - 1][j] + 1;
                d[i][j] = d[i][j] < d[i][j - 1] + 1 ? d[i][j] : d[i][j - 1] + 1;
            }
            if (i > 1 && j > 1 && a->at[i - 1] == b->at[j - 2] && a->at[i - 2] == b->at[j - 1] &&
                d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    return d[a->n][b->n];
}

Test(spelling, distance_is_that_of_the_definition)
{
    char p[TEXT_MAX], q[TEXT_MAX];
    state = 1;
    for (int i = 0; i < ROUNDS; i++) {
        struct letters a, b;
        cr_assert(letters_of(random_word(p, 12), &a));
        cr_assert(letters_of(random_word(q, 12), &b));
        uint32_t want = plain_distance(&a, &b), most = draw(6);
        cr_assert(eq(u32, letters_distance(&a, &b, MORE), want));
        cr_assert(eq(u32, letters_distance(&a, &b, most), want < most ? want : most + (want > most)));
    }
}

Test(spelling, no_letter_is_edited_twice)
{
    struct letters a = letters("ca"), b = letters("abc");
    cr_assert(eq(u32, letters_distance(&a, &b, MORE), 3)); /* 2 where letters may be edited twice */
}

/* ---- edits ---- */

static const struct {
    const char *meant, *typed;
    enum edit_kind kind;
} one_edit[] = {
    { "the", "teh", EDIT_SWAP },
    { "until", "untill", EDIT_DOUBLED },
    { "access", "acess", EDIT_UNDOUBLED },
    { "different", "diffrent", EDIT_NO_VOWEL },
    { "which", "wich", EDIT_NO_SILENT },
    { "knife", "nife", EDIT_NO_SILENT },
    { "therefore", "therefor", EDIT_NO_SILENT },
    { "lamp", "lap", EDIT_NO_LETTER },
    { "lamp", "lamip", EDIT_MORE_VOWEL },
    { "went", "whent", EDIT_MORE_SILENT },
    { "sofa", "sogfa", EDIT_MORE_NEAR },
    { "sofa", "sonfa", EDIT_MORE_LETTER },
    { "separate", "seperate", EDIT_OTHER_VOWEL },
    { "concert", "konsert", EDIT_OTHER_ALIKE },
    { "lamp", "lamo", EDIT_OTHER_NEAR },
    { "lamp", "lamg", EDIT_OTHER_LETTER },
    { "büro", "buro", EDIT_ACCENT },
    { "notebook", "note book", EDIT_SPLIT },
    { "table lamp", "tablelamp", EDIT_JOINED },
    { "don't", "dont", EDIT_MARK },
};

Test(spelling, edits_have_kinds)
{
    for (size_t i = 0; i < COUNT_OF(one_edit); i++) {
        struct letters meant = letters(one_edit[i].meant), typed = letters(one_edit[i].typed);
        struct edits e;
        edits_find(&meant, &typed, edit_costs, &e);
        cr_assert(ge(u8, e.of[one_edit[i].kind], 1), "%s for %s", one_edit[i].typed, one_edit[i].meant);
    }
}

Test(spelling, edits_lead_from_one_word_to_the_other)
{
    char p[TEXT_MAX], q[TEXT_MAX];
    state = 2;
    for (int i = 0; i < ROUNDS; i++) {
        struct letters a, b;
        struct edits e;
        uint32_t edits = 0;
        double cost = 0;
        cr_assert(letters_of(random_word(p, 9), &a));
        cr_assert(letters_of(random_word(q, 9), &b));
        edits_find(&a, &b, edit_costs, &e);
        for (int k = 0; k < EDIT_FIRST; k++) {
            edits += e.of[k];
            cost += e.of[k] * edit_costs[k];
        }
        cr_assert(ge(u32, edits, plain_distance(&a, &b))); /* cheap edits may be more than few */
        cr_assert(lt(dbl, fabs(cost - e.cost), 1e-9));
        cr_assert(eq(int, edits == 0, plain_distance(&a, &b) == 0));
        cr_assert(eq(int, e.of[EDIT_FIRST], a.at[0] != b.at[0]));
    }
}

Test(spelling, no_edit_costs_less_than_nothing)
{
    for (int k = 0; k < EDIT_KIND_COUNT; k++)
        cr_assert(ge(dbl, edit_costs[k], k < EDIT_FIRST ? 0.01 : 0.0), "kind %d", k);
}

/* ---- sounds ---- */

static const struct {
    const char *a, *b;
    bool same;
} sounds[] = {
    { "night", "nite", true },         { "phone", "fone", true },     { "knife", "nife", true },
    { "school", "skool", true },       { "write", "right", true },    { "bureau", "büro", true },
    { "note book", "notebook", true }, { "physics", "fisiks", true }, { "caution", "cawtion", true },
    { "bridge", "brige", true },       { "comb", "com", true },       { "sign", "sine", true },
    { "cat", "sat", false },           { "lamp", "damp", false },     { "стол", "стул", false },
    { "касса", "каса", true },         { "this", "tis", false },
};

Test(spelling, what_sounds_the_same_has_one_key)
{
    for (size_t i = 0; i < COUNT_OF(sounds); i++) {
        struct letters a = letters(sounds[i].a), b = letters(sounds[i].b), x, y;
        sound_key(&a, &x);
        sound_key(&b, &y);
        bool same = x.n == y.n && memcmp(x.at, y.at, x.n * sizeof *x.at) == 0;
        cr_assert(eq(int, same, sounds[i].same), "%s and %s", sounds[i].a, sounds[i].b);
    }
}

/* ---- the head ---- */

static void make_head(const struct head_term *terms, size_t count, uint32_t distance, struct buf *bytes,
                      struct head *out)
{
    struct head_out o;
    struct err err;
    head_begin(&o, distance);
    for (size_t i = 0; i < count; i++)
        head_add(&o, &terms[i]);
    cr_assert(head_end(&o, bytes, &err));
    head_release(&o);
    cr_assert(head_read(buf_str(bytes), out, &err), "%s", err.text);
}

static struct head_term *random_terms(struct arena *arena)
{
    struct head_term *terms = arena_zalloc(arena, WORDS * sizeof *terms);
    char text[TEXT_MAX];
    for (uint32_t i = 0; i < WORDS; i++)
        terms[i] = (struct head_term){ arena_str(arena, random_word(text, 11)), i, i, 0 };
    return terms;
}

/* Looks at every word. */
static uint32_t plain_near(const struct head_term *terms, const struct letters *w, uint32_t most, uint32_t alike,
                           bool *out_near)
{
    struct letters key, other, x;
    uint32_t count = 0;
    sound_key(w, &key);
    for (uint32_t i = 0; i < WORDS; i++) {
        cr_assert(letters_of(terms[i].text, &x));
        sound_key(&x, &other);
        uint32_t d = plain_distance(w, &x);
        bool sounds_same = key.n && key.n == other.n && memcmp(key.at, other.at, key.n * sizeof *key.at) == 0;
        out_near[i] = d > 0 && (d <= most || (sounds_same && d <= alike));
        count += out_near[i];
    }
    return count;
}

static void check_near(uint32_t distance)
{
    struct arena arena;
    struct buf bytes;
    struct head h;
    struct head_search s;
    char text[TEXT_MAX];
    bool near[WORDS];
    uint32_t found = 0;
    arena_init(&arena, 1 << 16);
    struct head_term *terms = random_terms(&arena);
    make_head(terms, WORDS, distance, &bytes, &h);
    head_search_init(&s, &h);
    for (int i = 0; i < 200; i++) {
        struct letters w;
        cr_assert(letters_of(random_word(text, 11), &w));
        uint32_t want = plain_near(terms, &w, distance, distance + 1, near);
        head_near(&s, &w, distance, distance + 1);
        cr_assert(eq(u32, s.count, want));
        for (uint32_t k = 0; k < s.count; k++)
            cr_assert(near[s.found[k].term]);
        found += want;
    }
    cr_assert(gt(u32, found, 1000));
    head_search_release(&s);
    buf_release(&bytes);
    arena_release(&arena);
}

Test(spelling, what_is_near_is_found)
{
    state = 3;
    for (uint32_t distance = 1; distance <= HEAD_DISTANCE_MAX; distance++)
        check_near(distance);
}

Test(spelling, terms_are_found_by_their_text)
{
    struct arena arena;
    struct buf bytes;
    struct head h;
    uint32_t term;
    state = 4;
    arena_init(&arena, 1 << 16);
    struct head_term *terms = random_terms(&arena);
    make_head(terms, WORDS, 2, &bytes, &h);
    for (uint32_t i = 0; i < WORDS; i++) {
        cr_assert(head_find(&h, terms[i].text, &term));
        cr_assert(str_eq(head_term(&h, term).text, terms[i].text));
    }
    cr_assert(not(head_find(&h, STR("nowhere"), &term)));
    buf_release(&bytes);
    arena_release(&arena);
}

Test(spelling, a_damaged_head_is_refused_or_read_within_its_bounds)
{
    struct arena arena;
    struct buf bytes;
    struct head h, damaged;
    struct err err;
    state = 5;
    arena_init(&arena, 1 << 16);
    make_head(random_terms(&arena), 200, 2, &bytes, &h);
    for (size_t n = 0; n < bytes.n; n += 1 + n / 50)
        cr_assert(not(head_read((struct str){ bytes.p, n }, &damaged, &err)), "%zu bytes", n);
    for (int i = 0; i < 2000; i++) {
        size_t at = draw((uint32_t)bytes.n);
        char was = bytes.p[at];
        bytes.p[at] ^= (char)(1 << draw(8));
        if (head_read(buf_str(&bytes), &damaged, &err)) {
            struct head_search s;
            struct letters w = letters("abche");
            head_search_init(&s, &damaged);
            head_near(&s, &w, 3, 3);
            head_search_release(&s);
        }
        bytes.p[at] = was;
    }
    buf_release(&bytes);
    arena_release(&arena);
}

/* ---- what was meant ---- */

#define TERM(text, searches, listed)                    \
    {                                                   \
        STR(text), (searches), (searches) / 2, (listed) \
    }
static const struct head_term shop[] = {
    TERM("desk lamp", 900, 0),  TERM("desert boots", 700, 0), TERM("dessert wine", 600, 0), TERM("notebook", 2000, 0),
    TERM("table lamp", 800, 0), TERM("table", 4000, 0),       TERM("lamp", 3000, 0),        TERM("curtain", 900, 0),
    TERM("certain", 1000, 0),   TERM("desert", 900, 0),       TERM("dessert", 900, 0),      TERM("wine", 1500, 0),
    TERM("boots", 1500, 0),     TERM("iphone 12", 3000, 0),   TERM("iphone", 9000, 0),      TERM("chairs", 3000, 0),
    TERM("garden", 5000, 0),    TERM("hose", 3000, 0),
};

static struct buf shop_bytes;
static struct head shop_head;

static void open_shop(void)
{
    make_head(shop, COUNT_OF(shop), 3, &shop_bytes, &shop_head);
}

static void close_shop(void)
{
    buf_release(&shop_bytes);
}

TestSuite(speller, .init = open_shop, .fini = close_shop);

static bool correct(const struct spell_typed *typed, const struct spell_rules *rules, char *out_text,
                    struct spell_meant *out)
{
    AUTO(speller_free) struct speller *s = speller_new(&shop_head, rules);
    bool found = spell_correct(s, typed, out);
    if (found) {
        memcpy(out_text, out->text.p, out->text.n);
        out_text[out->text.n] = 0;
    }
    return found;
}

/* want NULL: nothing */
static void check(const char *typed, uint64_t searches, const char *want)
{
    struct spell_meant m;
    char text[TEXT_MAX];
    const struct spell_typed t = { .text = str_of(typed), .searches = searches };
    bool found = correct(&t, &spell_rules_default, text, &m);
    cr_assert(eq(int, found, want != NULL), "%s", typed);
    if (want)
        cr_assert(str_eq_c(str_of(text), want), "%s becomes %s", typed, text);
}

Test(speller, finds_what_was_meant)
{
    check("notebok", 20, "notebook");
    check("curtian", 20, "curtain");
    check("note book", 20, "notebook");
    check("tablelamp", 20, "table lamp");
    check("gardenhose", 20, "garden hose"); /* nobody searched for both at once */
}

Test(speller, leaves_alone_what_may_be_meant)
{
    check("chair", 100, NULL);     /* of chairs */
    check("iphone 13", 100, NULL); /* another number is another thing */
    check("notebok", 900, NULL);   /* too often for a misspelling: ratio 3 */
    check("tble", 10, NULL);       /* too short */
    check("motebook", 10, NULL);   /* another first letter */
    check("gibberish", 10, NULL);
}

Test(speller, words_beside_it_decide)
{
    struct spell_meant m;
    char text[TEXT_MAX];
    const struct spell_beside wine = { STR("wine"), false, 10 }, boots = { STR("boots"), false, 10 };
    struct spell_typed t = { .text = STR("desssert"), .searches = 10, .beside = &wine, .beside_count = 1 };
    cr_assert(correct(&t, &spell_rules_default, text, &m));
    cr_assert(eq(str, text, "dessert"));
    t.text = STR("deserrt");
    t.beside = &boots;
    cr_assert(correct(&t, &spell_rules_default, text, &m));
    cr_assert(eq(str, text, "desert"));
    double with = m.probability;
    t.beside = &wine;
    cr_assert(correct(&t, &spell_rules_default, text, &m));
    cr_assert(gt(dbl, with, m.probability));
}

Test(speller, what_people_did_next_is_evidence)
{
    struct spell_meant without, with;
    char text[TEXT_MAX];
    const struct spell_next next = { STR("certain"), 8 };
    struct spell_typed t = { .text = STR("cirtain"), .searches = 20 };
    cr_assert(correct(&t, &spell_rules_default, text, &without));
    cr_assert(eq(str, text, "certain"));
    t.next = &next;
    t.next_count = 1;
    cr_assert(correct(&t, &spell_rules_default, text, &with));
    cr_assert(gt(dbl, with.confidence, without.confidence));
    cr_assert(eq(u64, with.next, 8));
}

Test(speller, searches_that_find_nothing_are_evidence_and_clicks_are_against_it)
{
    struct spell_meant plain, zero, clicked;
    char text[TEXT_MAX];
    struct spell_typed t = { .text = STR("notebok"), .searches = 100, .clicks = 50 };
    cr_assert(correct(&t, &spell_rules_default, text, &plain));
    t.zero_results = 100;
    cr_assert(correct(&t, &spell_rules_default, text, &zero));
    t.zero_results = 0;
    t.clicks = 200;
    cr_assert(correct(&t, &spell_rules_default, text, &clicked));
    cr_assert(gt(dbl, zero.confidence, plain.confidence));
    cr_assert(lt(dbl, clicked.confidence, plain.confidence));
}

Test(speller, a_boost_of_nothing_takes_the_evidence_away)
{
    struct spell_rules rules = spell_rules_default;
    struct spell_meant m, even;
    char text[TEXT_MAX];
    const struct spell_typed t = { .text = STR("cxrtain"), .searches = 10 };
    rules.max_distance = 3;
    rules.length_scale = 0;
    cr_assert(correct(&t, &rules, text, &m));
    rules.counts = rules.edits = rules.sound = rules.last = rules.sessions = 0;
    cr_assert(correct(&t, &rules, text, &even));
    cr_assert(epsilon_eq(dbl, even.score, 0.0, 1e-12));
    cr_assert(epsilon_eq(dbl, even.probability, 0.5, 1e-12)); /* curtain or certain: nothing says which */
    cr_assert(gt(dbl, m.probability, 0.5));
}

Test(speller, a_word_of_the_dictionary_is_never_wrong)
{
    const struct head_term words[] = { TERM("their", 0, 500000), TERM("there", 0, 900000), TERM("thier", 0, 1),
                                       TERM("address", 0, 9000) };
    struct buf bytes;
    struct head h;
    struct spell_rules rules = spell_rules_default;
    struct spell_meant m;
    rules.has_dictionary = true;
    rules.dictionary = 1000;
    make_head(words, COUNT_OF(words), 2, &bytes, &h);
    AUTO(speller_free) struct speller *s = speller_new(&h, &rules);
    cr_assert(not(spell_correct(s, &(struct spell_typed){ .text = STR("thier"), .searches = 9 }, &m)));
    cr_assert(spell_correct(s, &(struct spell_typed){ .text = STR("theer"), .searches = 9 }, &m));
    cr_assert(lt(dbl, m.confidence, 0.8)); /* a dictionary alone makes nothing certain */
    cr_assert(spell_correct(s, &(struct spell_typed){ .text = STR("addres"), .searches = 9 }, &m)); /* no plural */
    cr_assert(str_eq_c(m.text, "address"));
    buf_release(&bytes);
}

Test(speller, doubts_phrases_of_words_that_people_mean)
{
    struct spell_meant m;
    char text[TEXT_MAX];
    struct spell_typed t = { .text = STR("desert wine"), .searches = 12 };
    cr_assert(correct(&t, &spell_rules_default, text, &m));
    cr_assert(eq(str, text, "dessert wine"));
    cr_assert(m.words_known);
    t.text = STR("desert bots");
    cr_assert(correct(&t, &spell_rules_default, text, &m));
    cr_assert(not(m.words_known));
    t.text = STR("certian");
    cr_assert(correct(&t, &spell_rules_default, text, &m));
    cr_assert(not(m.words_known));
}

Test(speller, takes_any_bytes)
{
    AUTO(speller_free) struct speller *s = speller_new(&shop_head, &spell_rules_default);
    char text[TEXT_MAX];
    state = 6;
    for (int i = 0; i < ROUNDS; i++) {
        size_t n = draw(LETTERS_MAX * 5);
        for (size_t k = 0; k < n; k++)
            text[k] = (char)(draw(4) ? "table lamp deser"[draw(16)] : (char)draw(256));
        struct spell_meant m;
        const struct spell_beside beside = { { text, n / 2 }, i & 1, 1 };
        const struct spell_typed t = { .text = { text, n }, .searches = 1, .beside = &beside, .beside_count = 1 };
        if (spell_correct(s, &t, &m))
            cr_assert(str_is_utf8(m.text));
    }
}
