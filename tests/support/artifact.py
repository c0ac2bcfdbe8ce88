"""An artifact of a model (model/artifact.h, model/lists.h), read and written by other code than ours.

    a = of_version(d, "item-similarity")              the champion's, from a daemon's database
    a.kind, a.digest, a.card
    a.lists("items_for_item")["doc-1"]                [("doc-7", {"score": 0.5}), …]
    build("recommender", {"popular": build_lists(["score"], {"": [("doc-7", 0.5)]}), "card": b"{}"})
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


# ---- writing

def hash64(text):
    h = 0xcbf29ce484222325
    for byte in text:
        h = (h ^ byte) * 0x100000001b3 & (1 << 64) - 1
    h = (h ^ h >> 33) * 0xff51afd7ed558ccd & (1 << 64) - 1
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53 & (1 << 64) - 1
    return h ^ h >> 33


def aligned(n):
    return (n + 64 - 1) // 64 * 64


def build(kind, sections):
    """sections: {name: bytes}, in this order. The file."""
    directory, body, at = b"", b"", aligned(64 + 40 * len(sections))
    head = at
    for name, data in sections.items():
        body += b"\0" * (at - head - len(body))
        directory += struct.pack("<24sQQ", name.encode(), at, len(data))
        body += data
        at = aligned(at + len(data))
    size = head + len(body) + 32
    data = b"XPMODEL1" + struct.pack("<IIQ24s16x", 1, len(sections), size, kind.encode()) + directory
    data += b"\0" * (head - len(data)) + body
    return data + hashlib.blake2b(data, digest_size=32).digest()


def build_lists(columns, rows):
    """rows: {key: [(entry, value, …), …]}, in this order. A section."""
    texts, numbers = [], {}

    def number(text):
        if text not in numbers:
            numbers[text] = len(texts)
            texts.append(text.encode())
        return numbers[text]

    keys, ends, entries, values = [], [], [], []
    for key, row in rows.items():
        keys.append(number(key))
        for entry in row:
            entries.append(number(entry[0]))
            values.extend(entry[1:])
        ends.append(len(entries))
    slots = 2
    while slots < 2 * len(keys):
        slots *= 2
    table = [0] * slots
    for i, key in enumerate(keys):
        at = hash64(texts[key]) & slots - 1
        while table[at]:
            at = at + 1 & slots - 1
        table[at] = i + 1
    text, text_ends = b"".join(texts), []
    for t in texts:
        text_ends.append((text_ends[-1] if text_ends else 0) + len(t))
    return (struct.pack("<6IQ", 1, len(columns), len(keys), len(entries), len(texts), slots, len(text)) +
            b"".join(struct.pack("<24s", c.encode()) for c in columns) + struct.pack("<%dQ" % len(texts), *text_ends) +
            struct.pack("<%dI" % len(keys), *keys) + struct.pack("<%dI" % len(keys), *ends) + struct.pack("<%dI" % slots, *table) +
            struct.pack("<%dI" % len(entries), *entries) + struct.pack("<%df" % len(values), *values) + text)
