#include "experimentd/marks/agents.h"

#include <ctype.h>

/* In lower case. */
static const char *const words[] = {
    "crawl",
    "spider",
    "slurp",
    "scrapy",
    "headless",
    "phantomjs",
    "lighthouse",
    "pagespeed",
    "gtmetrix",
    "pingdom",
    "uptime",
    "statuscake",
    "site24x7",
    "newrelicpinger",
    "datadogsynthetics",
    "archiver",
    "wget",
    "httrack",
    "nutch",
    "facebookexternalhit",
    "mediapartners",
    "feedfetcher",
    "google-inspectiontool",
    "googleother",
    "prerender",
    "screaming frog",
    "selenium",
    "webdriver",
    "puppeteer",
    "playwright",
    "chatgpt-user",
    "yandexmetrika",
    "bingpreview",
    "skypeuripreview",
    "embedly",
    "quora link preview",
    "w3c_validator",
    "bytespider",
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Where word is found from `at` on, whatever the case; SIZE_MAX nowhere. */
static size_t find(struct str s, size_t at, struct str word)
{
    for (; at + word.n <= s.n; at++) {
        size_t k = 0;
        while (k < word.n && lower(s.p[at + k]) == lower(word.p[k]))
            k++;
        if (k == word.n)
            return at;
    }
    return SIZE_MAX;
}

static bool has_bot(struct str agent)
{
    for (size_t at = 0; (at = find(agent, at, STR("bot"))) != SIZE_MAX; at += 3) {
        bool ends = at + 3 == agent.n || !isalpha((unsigned char)agent.p[at + 3]);
        bool cubot = at >= 2 && find((struct str){ agent.p + at - 2, 2 }, 0, STR("cu")) == 0;
        if (ends && !cubot)
            return true;
    }
    return false;
}

bool agent_is_bot(struct str agent, struct str more)
{
    struct str word;
    if (has_bot(agent))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (find(agent, 0, str_of(words[i])) != SIZE_MAX)
            return true;
    while (str_split(&more, ',', &word)) {
        word = str_trim(word);
        if (word.n && find(agent, 0, word) != SIZE_MAX)
            return true;
    }
    return false;
}
