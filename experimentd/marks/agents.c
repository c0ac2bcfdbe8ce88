#include "experimentd/marks/agents.h"

#include <ctype.h>

enum { WORDS_A_LETTER = 10 };
/* In lower case, by their first letters: an agent is read once, on the way of every request. */
static const char *const words[26][WORDS_A_LETTER] = {
    ['a' - 'a'] = { "archiver" },
    ['b' - 'a'] = { "bingpreview" },
    ['c' - 'a'] = { "chatgpt-user", "crawl" },
    ['d' - 'a'] = { "datadogsynthetics" },
    ['e' - 'a'] = { "embedly" },
    ['f' - 'a'] = { "facebookexternalhit", "feedfetcher" },
    ['g' - 'a'] = { "google-inspectiontool", "googleother", "gtmetrix" },
    ['h' - 'a'] = { "headless", "httrack" },
    ['l' - 'a'] = { "lighthouse" },
    ['m' - 'a'] = { "mediapartners" },
    ['n' - 'a'] = { "newrelicpinger", "nutch" },
    ['p' - 'a'] = { "pagespeed", "phantomjs", "pingdom", "playwright", "prerender", "puppeteer" },
    ['q' - 'a'] = { "quora link preview" },
    ['s' - 'a'] = { "scrapy", "screaming frog", "selenium", "site24x7", "skypeuripreview", "slurp", "spider",
                    "statuscake" },
    ['u' - 'a'] = { "uptime" },
    ['w' - 'a'] = { "w3c_validator", "webdriver", "wget" },
    ['y' - 'a'] = { "yandexmetrika" },
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Whether the word, in lower case, stands at the front of s. */
static bool begins(struct str s, const char *word)
{
    size_t k = 0;
    while (word[k] && k < s.n && lower(s.p[k]) == word[k])
        k++;
    return !word[k];
}

static bool has_word(struct str agent)
{
    for (struct str rest = agent; rest.n; rest.p++, rest.n--) {
        char c = lower(rest.p[0]);
        for (int i = 0; c >= 'a' && c <= 'z' && i < WORDS_A_LETTER && words[c - 'a'][i]; i++)
            if (begins(rest, words[c - 'a'][i]))
                return true;
    }
    return false;
}

/* Where word is found from `at` on, whatever the case of either; SIZE_MAX nowhere. */
static size_t find(struct str s, size_t at, struct str word)
{
    for (; at + word.n <= s.n; at++)
        if (str_eq_nocase((struct str){ s.p + at, word.n }, word))
            return at;
    return SIZE_MAX;
}

static bool has_bot(struct str agent)
{
    for (size_t at = 0; at + 3 <= agent.n; at++) {
        struct str rest = { agent.p + at, agent.n - at };
        if (lower(rest.p[0]) != 'b' || !begins(rest, "bot"))
            continue;
        bool ends = rest.n == 3 || !isalpha((unsigned char)rest.p[3]);
        if (ends && !(at >= 2 && begins((struct str){ agent.p + at - 2, 2 }, "cu")))
            return true;
    }
    return false;
}

bool agent_is_bot(struct str agent, struct str more)
{
    struct str word;
    if (has_bot(agent) || has_word(agent))
        return true;
    while (str_split(&more, ',', &word)) {
        word = str_trim(word);
        if (word.n && find(agent, 0, word) != SIZE_MAX)
            return true;
    }
    return false;
}
