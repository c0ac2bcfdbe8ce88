"""A disk that lies: damaged records are found and named, and all others that were acknowledged are loaded once."""
import glob
import json
import os
import re
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, program, wait_for  # noqa: E402
from held import ROWS, Held  # noqa: E402

SEGMENT_HEAD, RECORD_HEAD, SEGMENT = 32, 12, 4096
SIGNALS, BATCH = 400, 10


def send(daemon, numbers):
    """Sends signals whose `doc` carries their number; all must be acknowledged."""
    body = "".join(json.dumps({"id": "d-%d" % n, "type": "click", "unit": "u%d" % (n % 50), "doc": "%05d" % n}) + "\n" for n in numbers)
    reply = daemon.post("/v1/signals", body.encode(), key="client")
    if reply.status != 200 or reply.json["accepted"] != len(numbers):
        raise AssertionError(reply)
    return set("%05d" % n for n in numbers)


def records(path):
    """(offset, bytes) of each record of a segment."""
    with open(path, "rb") as f:
        data = f.read()
    at, found = SEGMENT_HEAD, []
    while at + RECORD_HEAD <= len(data) and struct.unpack_from("<I", data, at)[0]:
        size = RECORD_HEAD + struct.unpack_from("<I", data, at)[0]
        found.append((at, data[at:at + size]))
        at += size
    return found


def overwrite(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def doc_of(record):
    return re.search(rb"\x05\0\0\0(\d{5})", record).group(1).decode()


class Damage(unittest.TestCase):
    def damage(self, daemon):
        """A byte of a record in a closed segment, and the length of one in the segment that is written; what was in them."""
        segments = sorted(glob.glob(os.path.join(daemon.dir, "journal", "*.seg")))
        self.assertGreater(len(segments), 4, "no closed segments to damage")
        closed, active = segments[-3], segments[-1]
        (at, first), (length_at, second) = records(closed)[1], records(active)[0]
        overwrite(closed, at + len(first) - 3, bytes([first[-3] ^ 0x10]))
        overwrite(active, length_at + 3, b"\x7f")
        places = [(os.path.basename(closed)[:16], at), (os.path.basename(active)[:16], length_at)]
        return {doc_of(first), doc_of(second)}, places

    def check_journal(self, daemon, status, places):
        done = subprocess.run([program("experimentd"), "journal", "check", os.path.join(daemon.dir, "journal")],
                              capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        self.assertIn("damaged places: %d\n" % len(places), said)
        for segment, offset in places:
            self.assertIn("segment=%s offset=%d " % (segment, offset), said)

    def test_damaged_records_are_named_and_the_rest_is_loaded_once(self):
        with Daemon("--journal-segment-bytes", str(SEGMENT)) as d:
            with Held(d, ROWS) as held:
                acknowledged = send(d, [0])
                held.wait_loader()
                for start in range(1, SIGNALS, BATCH):
                    acknowledged |= send(d, range(start, min(start + BATCH, SIGNALS)))
                self.check_journal(d, status=0, places=[])
                lost, places = self.damage(d)
                self.check_journal(d, status=1, places=places)
            acknowledged |= send(d, [SIGNALS])
            d.wait_loaded()
            for segment, offset in places:
                self.assertIn("segment=%s offset=%d " % (segment, offset), d.log())
            self.assertEqual(d.metric("experimentd_journal_damaged_total"), len(lost))
            d.stop()
            d.start()
            self.assertEqual(d.sql("select doc from signals group by 1 having count(*) <> 1"), [])
            self.assertEqual({row[0] for row in d.sql("select doc from signals")}, acknowledged - lost)

    def test_the_last_record_damaged_after_it_was_loaded(self):
        """The journal then ends before what PostgreSQL has of it: new records must not count as loaded."""
        with Daemon() as d:
            acknowledged = send(d, range(SIGNALS))
            d.wait_loaded()
            d.kill()
            (segment,) = glob.glob(os.path.join(d.dir, "journal", "*.seg"))
            at, last = records(segment)[-1]
            overwrite(segment, at + len(last) - 3, bytes([last[-3] ^ 0x10]))
            d.start()
            self.assertIn("journal_set_back", d.log())
            acknowledged |= send(d, range(SIGNALS, SIGNALS + 1))
            d.kill()
            d.start()
            d.wait_loaded()
            self.assertEqual(sorted(row[0] for row in d.sql("select doc from signals")), sorted(acknowledged))

    def wait_tried(self, daemon, reason):
        """Until the loader has tried again with longer and longer pauses; only then does it not turn in circles."""
        tries = ["%s.* retry_seconds=%s" % (reason, pause) for pause in ("0.1", "0.2", "0.4", "0.8")]
        wait_for(lambda: all(re.search(t, daemon.log()) for t in tries), "the loader to name what it cannot do and to wait")

    def test_a_segment_that_cannot_be_read_is_tried_again(self):
        """A directory in its place: every read fails. Then none at all: what is behind it is loaded."""
        for back in (True, False):
            with self.subTest(back=back), Daemon("--journal-segment-bytes", str(SEGMENT)) as d:
                with Held(d, ROWS) as held:
                    acknowledged = send(d, [0])
                    held.wait_loader()
                    for start in range(1, SIGNALS, BATCH):
                        acknowledged |= send(d, range(start, min(start + BATCH, SIGNALS)))
                    segment = sorted(glob.glob(os.path.join(d.dir, "journal", "*.seg")))[2]
                    lost = set() if back else {doc_of(data) for _, data in records(segment)}
                    os.rename(segment, segment + ".away")
                    os.mkdir(segment)
                self.wait_tried(d, "cannot read position %d of the journal in .*: Is a directory" % int(os.path.basename(segment)[:16], 16))
                os.rmdir(segment)
                if back:
                    os.rename(segment + ".away", segment)
                d.wait_loaded()
                self.assertEqual(sorted(row[0] for row in d.sql("select doc from signals")), sorted(acknowledged - lost))
                self.assertEqual("journal_gap" in d.log(), not back)

    def test_a_refused_row_that_cannot_be_set_aside_is_tried_again(self):
        with Daemon() as d:
            d.sql("alter table signals add constraint no_poison check (unit <> 'u7')")
            rejects = os.path.join(d.dir, "journal", "rejects.ndjson")
            os.mkdir(rejects)
            acknowledged = send(d, range(60))
            self.wait_tried(d, 'cannot write ".*rejects.ndjson": Is a directory')
            os.rmdir(rejects)
            d.wait_loaded()
            self.assertEqual(sorted(row[0] for row in d.sql("select doc from signals")), sorted(acknowledged - {"00007", "00057"}))
            with open(rejects, encoding="utf-8") as f:
                aside = [json.loads(line) for line in f]
            self.assertEqual([(row["unit"], "no_poison" in row["reason"]) for row in aside], [("u7", True)] * 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
