/* key_rate.h - how many events a second a client key may send (setting ingest.key_rate), in one bucket for all workers.
 *
 * A bucket is one instant, up to which what the key has sent is paid for at its rate; each event moves it on by 1/rate. A request is let
 * in while that instant is at most a second ahead, however many events it holds: a batch larger than the bucket must not be refused for
 * good. What goes beyond is waited for. So in any t seconds a key gets in at most rate · (t + 1) events and, for each worker, one request.
 *
 * No locks: a key's slot is found by its hash and never given up. Keys beyond KEY_RATE_SLOTS, revoked ones counted, share slots. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { KEY_RATE_SLOTS = 4096 };

struct key_rate;

struct key_rate *key_rate_new(uint32_t events_per_second); /* 0: no limit */
void key_rate_free(struct key_rate *r);
/* 0: the request may be read; else after how long it may come again, and it counts as refused. `now_us` is monotonic; any thread. */
int64_t key_rate_wait_us(struct key_rate *r, struct str key, int64_t now_us);
/* So many events were taken. */
void key_rate_charge(struct key_rate *r, struct str key, size_t events, int64_t now_us);
uint64_t key_rate_refused(const struct key_rate *r);
