#!/usr/bin/env python3
"""coins.py SEED QUERY_ID SIDES COUNT: the coins that experimentd/interleave/coins.h describes, by Python's integers. The expected values of
test_coins.c come from here, and the lists of test_interleave_api.py."""
import sys

MASK = (1 << 64) - 1


def hash64(data):
    h = 0xcbf29ce484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001b3) & MASK
    h = ((h ^ (h >> 33)) * 0xff51afd7ed558ccd) & MASK
    h = ((h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53) & MASK
    return h ^ (h >> 33)


def mix(z):
    z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
    return z ^ (z >> 31)


class Coins:
    def __init__(self, seed, query_id):
        self.state = (mix(hash64(seed.encode())) + hash64(query_id.encode())) & MASK

    def toss(self, sides):
        self.state = (self.state + 0x9e3779b97f4a7c15) & MASK
        return (mix(self.state) * sides) >> 64


if __name__ == "__main__":
    stream = Coins(sys.argv[1], sys.argv[2])
    print(", ".join(str(stream.toss(int(sys.argv[3]))) for _ in range(int(sys.argv[4]))))
