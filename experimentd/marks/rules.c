#include "experimentd/marks/rules.h"

#include "experimentd/http/http.h"
#include "experimentd/marks/agents.h"

bool mark_rules_init(struct mark_rules *r, const char *bot_agents, const char *internal, const char *proxies,
                     struct err *err)
{
    *r = (struct mark_rules){ .bot_agents = str_of(bot_agents) };
    if (!net_list_parse(str_of(internal), &r->internal, err))
        return err_prefix(err, "setting \"marks.internal_networks\": ");
    if (!net_list_parse(str_of(proxies), &r->proxies, err))
        return err_prefix(err, "setting \"http.trusted_proxies\": ");
    return true;
}

void mark_rules_release(struct mark_rules *r)
{
    mem_free(r->internal.p);
    mem_free(r->proxies.p);
}

/* Behind proxies: the last address of X-Forwarded-For that is not one of theirs; what stands before it, the client may have written. */
static bool client_address(const struct mark_rules *r, const struct http_request *req, struct net_address *out)
{
    struct str chain = http_header(req, STR("x-forwarded-for"));
    if (!http_peer(req, out))
        return false;
    while (chain.n && net_list_has(&r->proxies, out)) {
        size_t at = chain.n;
        while (at && chain.p[at - 1] != ',')
            at--;
        if (!net_parse(str_trim((struct str){ chain.p + at, chain.n - at }), out))
            return false;
        chain.n = at ? at - 1 : 0;
    }
    return true;
}

enum mark mark_of_request(const struct mark_rules *r, const struct http_request *req)
{
    struct net_address from;
    struct str agent = http_header(req, STR("user-agent"));
    if (agent.n && agent_is_bot(agent, r->bot_agents))
        return MARK_BOT;
    return r->internal.n && client_address(r, req, &from) && net_list_has(&r->internal, &from) ? MARK_INTERNAL
                                                                                               : MARK_NONE;
}

enum mark mark_of_event(const struct mark_rules *r, const struct details *client, enum mark of_request)
{
    struct net_address from;
    if (client->said)
        return client->said;
    if (client->agent.n && agent_is_bot(client->agent, r->bot_agents))
        return MARK_BOT;
    if (client->address.n && r->internal.n && net_parse(client->address, &from) && net_list_has(&r->internal, &from))
        return MARK_INTERNAL;
    return of_request;
}
