/* agents.h - user agents of programs that read pages by themselves: crawlers, monitors, automated browsers.
 *
 * By words that their makers put in: "bot" at the end of a word (Googlebot, bingbot; not Cubot, a maker of telephones), "crawler", "spider",
 * "Headless…", and the names of some that say none of these. Not libraries (curl, axios): a shop's server sends signals with those. */
#pragma once
#include "base/str.h"

/* more: words of the site's own list, separated by commas, looked for without regard to case. */
bool agent_is_bot(struct str agent, struct str more);
