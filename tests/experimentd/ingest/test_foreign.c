/* UBI, Segment and Insights, event by event: what becomes of it, and why it is refused. Real clients: tests/clients. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "experimentd/ingest/formats/insights.h"
#include "experimentd/ingest/formats/segment.h"
#include "experimentd/ingest/formats/ubi.h"

#define NOW INT64_C(1790000000000000) /* 2026-09-21T14:13:20Z */

static struct arena arena;
static struct foreign_event events[16];
static char errors[16][300];
static size_t count;

static void setup(void)
{
    arena_init(&arena, 4096);
    clock_freeze(NOW);
    count = 0;
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(foreign, .init = setup, .fini = teardown);

static bool keep(void *arg, size_t index, const json_t *json, const struct foreign_event *e, const struct err *err)
{
    (void)arg;
    (void)json;
    events[index] = e ? *e : (struct foreign_event){ 0 };
    (void)snprintf(errors[index], sizeof errors[index], "%s", err ? err->text : "");
    count = index + 1;
    return true;
}

/* One event of a batch; its text has ' for ". */
static const struct foreign_event *segment(const char *event)
{
    struct err err;
    char body[4096];
    (void)snprintf(body, sizeof body, "{'batch':[%s],'sentAt':%lld}", event, (long long)(NOW / 1000));
    for (char *p = body; *p; p++)
        if (*p == '\'')
            *p = '"';
    cr_assert(segment_read(str_of(body), NULL, NOW, &arena, keep, NULL, &err), "%s", err.text);
    return &events[0];
}

static const struct foreign_event *insights(const char *event)
{
    struct err err;
    char body[4096];
    (void)snprintf(body, sizeof body, "{'events':[%s]}", event);
    for (char *p = body; *p; p++)
        if (*p == '\'')
            *p = '"';
    cr_assert(insights_read(str_of(body), NOW, &arena, keep, NULL, &err), "%s", err.text);
    return &events[0];
}

static const struct foreign_event *ubi_of(enum ubi_kind kind, const char *event)
{
    struct err err;
    char *body = arena_cstr(&arena, str_of(event));
    for (char *p = body; *p; p++)
        if (*p == '\'')
            *p = '"';
    cr_assert(ubi_read(str_of(body), kind, NOW, &arena, keep, NULL, &err), "%s", err.text);
    return &events[0];
}

static const struct foreign_event *ubi(const char *event)
{
    return ubi_of(UBI_EVENTS, event);
}

static char *text(struct str s)
{
    return s.p ? arena_cstr(&arena, s) : arena_cstr(&arena, STR("(none)"));
}

#define REFUSED(reader, event, part)                                                               \
    do {                                                                                           \
        (void)reader(event);                                                                       \
        cr_expect(strstr(errors[0], part) != NULL, "\"%s\" does not say \"%s\"", errors[0], part); \
    } while (0)

Test(foreign, a_repeat_has_the_same_ids_and_its_signals_have_different_ones)
{
    const char *order =
        "{'type':'track','event':'Order Completed','userId':'u','messageId':'m-1','properties':{'products':["
        "{'product_id':'a','price':2,'quantity':3},{'product_id':'b','price':'4'},{'product_id':'c'}]}}";
    struct foreign_event first = *segment(order);
    const struct foreign_event *again = segment(order);
    cr_assert(eq(sz, first.signals_count, 2)); /* the one without a price counts for nothing */
    cr_expect(eq(dbl, first.signals[0].value, 6));
    cr_expect(eq(dbl, first.signals[1].value, 4));
    cr_expect(memcmp(first.signals[0].id, first.signals[1].id, 16) != 0);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(first.signals[i].client_id);
        cr_expect(memcmp(first.signals[i].id, again->signals[i].id, 16) == 0);
    }
}

Test(foreign, an_order_without_prices_is_worth_its_revenue)
{
    const struct foreign_event *e = segment(
        "{'type':'track','event':'order completed','userId':'u','properties':{'revenue':'9.5'}}");
    cr_assert(eq(sz, e->signals_count, 1));
    cr_expect(eq(str, text(e->signals[0].type), "purchase"));
    cr_expect(eq(dbl, e->signals[0].value, 9.5));
    cr_expect(not(e->signals[0].client_id));
}

Test(foreign, the_anonymous_id_is_the_unit)
{
    cr_expect(eq(str, text(segment("{'type':'page','anonymousId':'a','userId':'u'}")->signals[0].unit), "a"));
    cr_expect(eq(str, text(segment("{'type':'page','anonymousId':'','userId':17}")->signals[0].unit), "17"));
    cr_expect(eq(str, text(segment("{'type':'alias','previousId':'a','userId':'u'}")->signals[0].unit), "a"));
}

Test(foreign, a_clock_that_is_off_is_corrected_and_one_that_is_not_is_left_alone)
{
    int64_t seconds = NOW / US_PER_SECOND;
    char event[300];
    (void)snprintf(event, sizeof event, "{'type':'page','userId':'u','timestamp':%lld,'sentAt':%lld}",
                   (long long)(seconds - 7200), (long long)(seconds - 3600));
    cr_expect(eq(i64, segment(event)->signals[0].at_us, NOW - 3600 * US_PER_SECOND));
    (void)snprintf(event, sizeof event, "{'type':'page','userId':'u','timestamp':%lld,'sentAt':%lld}",
                   (long long)(seconds - 7200), (long long)(seconds - 30));
    cr_expect(eq(i64, segment(event)->signals[0].at_us, NOW - 7200 * US_PER_SECOND));
}

Test(foreign, an_experiment_viewed_is_an_exposure)
{
    const struct foreign_event *e = segment("{'type':'track','event':'Experiment Viewed','anonymousId':'a',"
                                            "'properties':{'experimentId':'x','variationId':1}}");
    cr_assert(e->has_exposure);
    cr_expect(eq(str, text(e->exposure.experiment), "x"));
    cr_expect(eq(str, text(e->exposure.variant), "1"));
    cr_expect(eq(sz, e->signals_count, 0));
    REFUSED(segment, "{'type':'track','event':'Experiment Viewed','anonymousId':'a','properties':{}}",
            "field \"experiment\" is missing");
}

Test(foreign, what_is_wrong_is_named)
{
    REFUSED(segment, "7", "not an object");
    REFUSED(segment, "{'type':'track','event':'x'}", "\"anonymousId\" and \"userId\" are both missing");
    REFUSED(segment, "{'type':'track','userId':'u'}", "field \"event\" is missing");
    REFUSED(segment, "{'type':'dance','userId':'u'}", "field \"type\" is \"dance\"");
    REFUSED(segment, "{'userId':'u'}", "field \"type\" is missing");
    REFUSED(segment, "{'type':'page','userId':'u','timestamp':'soon'}", "field \"timestamp\": ");
    REFUSED(insights, "{'eventType':'click'}", "field \"userToken\" is missing");
    REFUSED(insights, "{'eventType':'dance','userToken':'u'}", "field \"eventType\" is \"dance\"");
}

Test(foreign, a_whole_body_is_refused_with_its_reason)
{
    struct err err;
    cr_expect(not(segment_read(STR("{\"batch\":7}"), NULL, NOW, &arena, keep, NULL, &err)));
    cr_expect(strstr(err.text, "field \"batch\" is not an array") != NULL);
    cr_expect(not(segment_read(STR("{}"), NULL, NOW, &arena, keep, NULL, &err)));
    cr_expect(strstr(err.text, "field \"batch\" is missing") != NULL);
    cr_expect(not(insights_read(STR("[]"), NOW, &arena, keep, NULL, &err)));
    cr_expect(strstr(err.text, "field \"events\" is missing") != NULL);
}

Test(foreign, insights_makes_a_signal_an_object)
{
    const struct foreign_event *e = insights(
        "{'eventType':'click','userToken':'u','queryID':'q','objectIDs':['a',7],"
        "'positions':[1,12],'eventName':'n','index':'i','timestamp':1789999999000}");
    cr_assert(eq(sz, e->signals_count, 2));
    cr_expect(eq(str, text(e->signals[1].doc), "7"));
    cr_expect(eq(i32, e->signals[1].position, 12));
    cr_expect(eq(str, text(e->signals[1].query_id), "q"));
    cr_expect(eq(str, text(e->signals[1].params), "{\"eventName\":\"n\",\"index\":\"i\"}"));
    cr_expect(e->signals[0].client_id);
    cr_expect(memcmp(e->signals[0].id, e->signals[1].id, 16) != 0);
}

Test(foreign, insights_divides_a_value_that_has_no_prices)
{
    const struct foreign_event *e = insights(
        "{'eventType':'conversion','eventSubtype':'purchase','userToken':'u','objectIDs':['a','b'],'value':9}");
    cr_expect(eq(dbl, e->signals[0].value + e->signals[1].value, 9));
    cr_expect(eq(str, text(e->signals[0].type), "purchase"));
    cr_expect(isnan(insights("{'eventType':'view','userToken':'u'}")->signals[0].value));
}

Test(foreign, ubi_keeps_the_application_and_the_action_that_its_type_does_not_tell)
{
    const struct foreign_event *e = ubi("{'action_name':'item_click','client_id':'c','application':'shop',"
                                        "'event_attributes':{'position':{'ordinal':0}}}");
    cr_expect(eq(str, text(e->signals[0].type), "click"));
    cr_expect(eq(i32, e->signals[0].position, SIGNAL_POSITION_NONE));
    cr_expect(eq(str, text(e->signals[0].params),
                 "{\"position\":{\"ordinal\":0},\"application\":\"shop\",\"action_name\":\"item_click\"}"));
    e = ubi("{'action_name':'click','client_id':'c','event_attributes':null}");
    cr_expect(eq(str, text(e->signals[0].params), "(none)"));
    e = ubi("{'action_name':'click','client_id':'c','application':'shop','event_attributes':{'application':'own'}}");
    cr_expect(eq(str, text(e->signals[0].params), "{\"application\":\"own\"}"));
}

Test(foreign, ubi_keeps_what_a_query_was_shown)
{
    const struct foreign_event *e = ubi_of(
        UBI_QUERIES, "{'client_id':'c','query_id':'q','user_query':'lamp','query_response_hit_ids':['B02',17,'B01']}");
    cr_expect(eq(sz, e->signals_count, 2));
    cr_expect(eq(str, text(e->signals[0].params), "(none)"));
    cr_expect(eq(str, text(e->signals[1].type), "response"));
    cr_expect(eq(dbl, e->signals[1].value, 3));
    cr_expect(eq(str, text(e->signals[1].params), "{\"docs\":[\"B02\",\"17\",\"B01\"]}"));
    e = ubi_of(UBI_QUERIES,
               "{'clientId':'c','userQuery':'lamp','queryResponse':{'queryResponseHitIds':['x',null,'y']}}");
    cr_expect(eq(str, text(e->signals[1].params), "{\"docs\":[\"x\"]}"));
    e = ubi_of(UBI_QUERIES, "{'clientId':'c','userQuery':'lmap','queryResponse':{'queryResponseHitIds':[]}}");
    cr_expect(eq(dbl, e->signals[1].value, 0));
    cr_expect(eq(str, text(e->signals[1].params), "(none)"));
}
