"""An artifact of a model (model/artifact.h, model/lists.h), read by other code than ours.

    a = of_version(d, "item-similarity")              the champion's, from a daemon's database
    a.kind, a.digest, a.card
    a.lists("items_for_item")["doc-1"]                [("doc-7", {"score": 0.5}), …]
"""
import hashlib
import json
import struct


class Artifact:
    def __init__(self, data):
        self.data = data
        magic, version, count, size, kind = struct.unpack_from("<8sIIQ24s", data)
        if (magic, version, size) != (b"XPMODEL1", 1, len(data)):
            raise ValueError("no artifact: %r" % data[:64])
        self.digest = hashlib.blake2b(data[:-32], digest_size=32).hexdigest()
        if data[-32:].hex() != self.digest:
            raise ValueError("the checksum is wrong")
        self.kind, self.sections = self._text(kind), {}
        for i in range(count):
            name, offset, n = struct.unpack_from("<24sQQ", data, 64 + 40 * i)
            if offset % 64:
                raise ValueError("a section lies askew")
            self.sections[self._text(name)] = data[offset:offset + n]
        self.card = json.loads(self.sections["card"])

    @staticmethod
    def _text(padded):
        return padded.rstrip(b"\0").decode()

    def lists(self, name):
        return lists(self.sections[name])


def lists(s):
    """Of each key its entries, best first: text and values by column."""
    version, columns, keys, entries, texts, slots, text_bytes = struct.unpack_from("<6IQ", s)
    if version != 1:
        raise ValueError("lists of version %d" % version)
    at = 32
    names = [Artifact._text(s[at + 24 * i:at + 24 * (i + 1)]) for i in range(columns)]
    at += 24 * columns

    def numbers(code, n):
        nonlocal at
        found = struct.unpack_from("<%d%s" % (n, code), s, at)
        at += struct.calcsize("<%d%s" % (n, code))
        return found
    ends, key_texts, key_ends = numbers("Q", texts), numbers("I", keys), numbers("I", keys)
    numbers("I", slots)
    entry_texts, values = numbers("I", entries), numbers("f", entries * columns)
    if at + text_bytes != len(s):
        raise ValueError("lists of %d bytes, not %d" % (at + text_bytes, len(s)))
    words = [s[at + (ends[i - 1] if i else 0):at + ends[i]].decode() for i in range(texts)]
    found, first = {}, 0
    for key, end in zip(key_texts, key_ends):
        found[words[key]] = [(words[entry_texts[e]], dict(zip(names, values[e * columns:(e + 1) * columns]))) for e in range(first, end)]
        first = end
    return found


def of_version(daemon, model, version=None):
    """The artifact of a version of a model in a daemon's database; of the champion, when none is named."""
    which = str(version) if version else "(select a.version from model_aliases a where a.model = v.model and a.alias = 'champion')"
    parts = daemon.sql("select encode(p.content, 'hex') from model_versions v join artifact_parts p on p.digest = v.artifact "
                       "where v.model = '%s' and v.version = %s order by p.part" % (model, which))
    return Artifact(b"".join(bytes.fromhex(row[0]) for row in parts))
