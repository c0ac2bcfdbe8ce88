"""Section "ranker" of an artifact (model/ranker.h), written and read by other code than ours, and scored by a plain walk.

    trees(["a", "b"], [[node…], …])     node: {"leaf": 1} or {"feature": 0, "threshold": .5, "left": 1, "right": 2, "missing_left": True}
    linear(["a", "b"], [(weight, mean, scale), …])
    Forest(section).score(values)       numpy: rows × features, NaN missing
"""
import struct

import numpy

INNER, MISSING_LEFT = 1, 2


def head(kind, names, tree_count, node_count):
    text = "".join(n + "\n" for n in names).encode()
    return struct.pack("<8s5I36x", b"XPRANK01", kind, len(names), tree_count, node_count, len(text)) + text + b"\0" * (-len(text) % 4)


def breadth_first(nodes):
    order = [0]
    for at in order:
        if "left" in nodes[at]:
            order += [nodes[at]["left"], nodes[at]["right"]]
    return [nodes[i] for i in order]


def trees(names, forest):
    body, ends, count = b"", [], 0
    for tree in forest:
        for n in breadth_first(tree):
            flags = (INNER | (MISSING_LEFT if n.get("missing_left") else 0)) if "left" in n else 0
            body += struct.pack("<IIffff", n.get("feature", 0), flags, n.get("threshold", 0), n.get("leaf", 0), n.get("gain", 0), n.get("cover", 0))
            count += 1
        ends.append(count)
    return head(0, names, len(forest), count) + struct.pack("<%dI" % len(ends), *ends) + body


def linear(names, terms):
    return head(1, names, 0, 0) + b"".join(struct.pack("<3f", *t) for t in terms)


class Forest:
    """Trees of a section: lists of (feature, threshold, left, right, missing_left, leaf); left None: a leaf."""

    def __init__(self, section):
        magic, kind, features, count, nodes, size = struct.unpack_from("<8s5I", section)
        if magic != b"XPRANK01" or kind != 0:
            raise ValueError("no trees")
        self.names = section[64:64 + size].decode().split("\n")[:-1]
        at = 64 + size + -size % 4
        ends = struct.unpack_from("<%dI" % count, section, at)
        at += 4 * count
        rows = [struct.unpack_from("<IIffff", section, at + 24 * i) for i in range(nodes)]
        if at + 24 * nodes != len(section) or len(self.names) != features:
            raise ValueError("the size is not that of the counts")
        self.trees = [self._tree(rows[a:b]) for a, b in zip((0,) + ends, ends)]

    @staticmethod
    def _tree(rows):
        found, inner = [], 0
        for feature, flags, threshold, leaf, _, _ in rows:
            if flags & INNER:
                found.append((feature, numpy.float32(threshold), 2 * inner + 1, 2 * inner + 2, bool(flags & MISSING_LEFT), None))
                inner += 1
            else:
                found.append((0, None, None, None, False, numpy.float32(leaf)))
        return found

    def thresholds(self):
        return sorted({(n[0], n[1]) for tree in self.trees for n in tree if n[2] is not None})

    def score(self, values):
        values = numpy.asarray(values, numpy.float32)
        return numpy.array([self._row(row) for row in values], numpy.float32)

    def _row(self, row):
        total = numpy.float32(0)
        for tree in self.trees:
            at = 0
            while tree[at][2] is not None:
                feature, threshold, left, right, missing_left, _ = tree[at]
                v = row[feature]
                at = (left if missing_left else right) if numpy.isnan(v) else left if v < threshold else right
            total = numpy.float32(total + tree[at][5])
        return total
