"""Words and their vectors of an artifact of kind "vectors" (model/vectors.h, model/factors.h), read by other code than ours.

    words, inner, outer = words_of(artifact)       texts; rows of the half that is kept; of the other half
"""
import struct


def factors(section):
    """Texts and rows."""
    magic, _, rank, items, slots, biases, _, text_bytes = struct.unpack_from("<8s6IQ", section)
    if magic != b"XPFACT01" or biases:
        raise ValueError("no vectors: %r" % section[:64])

    def aligned(n):
        return (n + 63) // 64 * 64
    offsets = aligned(64 + 4 * slots)
    ends = struct.unpack_from("<%dQ" % (items + 1), section, offsets)
    texts = offsets + 8 * (items + 1)
    rows = aligned(texts + text_bytes)
    words = [section[texts + ends[i]:texts + ends[i + 1]].decode() for i in range(items)]
    return words, [struct.unpack_from("<%df" % rank, section, rows + 4 * rank * i) for i in range(items)]


def words_of(artifact):
    words, inner = factors(artifact.sections["words"])
    rank = len(inner[0])
    return words, inner, [struct.unpack_from("<%df" % rank, artifact.sections["contexts"], 4 * rank * i) for i in range(len(words))]
