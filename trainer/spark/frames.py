"""The frames of trainer/engine/frame.h, for Python: head, checksum, reading.

Python has no fast CRC-32C, and needs none for what is large: a chunk keeps the checksum that the C side gave it, and when it goes on in a
frame with another head, the checksum is moved over to that head. CRCs are linear, so

    crc(new head + payload) = crc(old head + payload) xor shift(crc(old head) xor crc(new head), length of payload)

which is some table look-ups, whatever the length. A byte that is damaged on the way, in Spark's shuffle or cache too, is found by the C
side that reads it. Only payloads that are made here (JSON) are summed byte by byte.

Standard library only; runs in the driver and on executors.
"""
import functools
import struct

MAGIC = b"XPF1"
HEAD = struct.Struct("<4sB3xIIII")
SUMMED = struct.Struct("<B3xIII")  # of the head, what the checksum covers
PAYLOAD_MAX = 32 << 20
POLYNOMIAL = 0x82F63B78
POWERS = 25  # of two, up to PAYLOAD_MAX bytes


class FrameError(Exception):
    """What came is no frame: the peer is given up."""


def _byte_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_BYTE = _byte_table()


def crc32c(data, crc=0):
    """Slow (10 MB/s): for heads and JSON."""
    table, crc = _BYTE, crc ^ 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _times(columns, vector):
    """Matrix times vector over GF(2); a matrix is its 32 columns."""
    total, bit = 0, 0
    while vector:
        if vector & 1:
            total ^= columns[bit]
        vector >>= 1
        bit += 1
    return total


@functools.lru_cache(maxsize=1)
def _shifts():
    """Of 1, 2, 4 ... zero bytes behind a message: what they make of its CRC, as four tables, one for each byte of the CRC."""
    bit = [POLYNOMIAL] + [1 << n for n in range(31)]  # one zero bit
    columns = bit
    for _ in range(3):
        columns = [_times(columns, column) for column in columns]  # squared: 2, 4, 8 bits
    powers = []
    for _ in range(POWERS + 1):
        powers.append([[_times(columns, byte << at) for byte in range(256)] for at in (0, 8, 16, 24)])
        columns = [_times(columns, column) for column in columns]
    return powers


def shift(crc, count):
    """The CRC of a message behind which stand `count` zero bytes, apart from the inversions, which cancel out where two are xored."""
    for low, second, third, high in _shifts():
        if count & 1:
            crc = low[crc & 255] ^ second[crc >> 8 & 255] ^ third[crc >> 16 & 255] ^ high[crc >> 24]
        count >>= 1
        if not count:
            break
    return crc


@functools.lru_cache(maxsize=4096)
def head_crc(kind, a, b, size):
    return crc32c(SUMMED.pack(kind, a, b, size))


def moved(crc, size, was, now):
    """The checksum of a frame whose head was (kind, a, b) and becomes another's, with the same payload."""
    return crc ^ shift(head_crc(*was, size) ^ head_crc(*now, size), size)


def head(kind, a, b, size, crc):
    return HEAD.pack(MAGIC, kind, a, b, size, crc)


def frame(kind, a=0, b=0, payload=b""):
    """A whole frame with a payload that is made here."""
    return head(kind, a, b, len(payload), crc32c(payload, head_crc(kind, a, b, len(payload)))) + payload


def parse_head(data):
    """(kind, a, b, size, crc) of HEAD.size bytes."""
    magic, kind, a, b, size, crc = HEAD.unpack(data)
    if magic != MAGIC or size > PAYLOAD_MAX:
        raise FrameError("a frame that is none")
    return kind, a, b, size, crc


def read_exactly(stream, size):
    """Bytes of a blocking stream; None at its end."""
    data = stream.read(size)
    return data if len(data) == size else None


def read_frame(stream):
    """(kind, a, b, crc, payload) of a blocking, buffered stream; None at its end."""
    data = read_exactly(stream, HEAD.size)
    if data is None:
        return None
    kind, a, b, size, crc = parse_head(data)
    payload = read_exactly(stream, size)
    return None if payload is None else (kind, a, b, crc, payload)
