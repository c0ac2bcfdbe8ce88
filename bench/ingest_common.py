"""What the parts of the benchmark of ingestion share: the signals, posting them, SQL, \\copy."""
import os
import subprocess
import sys
import time

import machine

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
COPIED = 400000  # rows of a file for \copy
COLUMNS = "id, at, received_at, bucket, type, unit, session, query_id, query, doc, position, value, params"

# wrk's script. Arguments: signals a request, a client's id in each (1) or none (0), a number that no other run has. Requests without ids are
# made ahead, so that the client costs the shared cores less.
LUA = """
local n, batch, with_id, run, made = 0, 1, false, 0, {}
local function make()
  local lines = {}
  for i = 1, batch do
    n = n + 1
    local id = with_id and string.format('"id":"%08x-%04x-4000-8000-%012x",', n * 2654435761 % 4294967296, run, n) or ''
    lines[i] = string.format('{%s"type":"click","unit":"user-%d","session":"session-%d","query_id":"q-%d","query":"wireless keyboard",' ..
      '"doc":"sku-%d","position":%d,"params":{"page":1,"device":"phone","list":"search"}}', id, n % 500009, n % 800011, n, n % 20011, n % 20 + 1)
  end
  return wrk.format("POST", "/v1/signals", nil, table.concat(lines, "\\n"))
end
init = function(a)
  batch, with_id, run = tonumber(a[1]), a[2] == '1', tonumber(a[3])
  for i = 1, with_id and 0 or 50000 / batch do made[i] = make() end
end
local at = 0
request = function()
  if with_id then return make() end
  at = at % #made + 1
  return made[at]
end
"""

# The same signal by hand, for pgbench.
INSERT = """\\set n random(1, 500009)
insert into signals (%s) values (gen_random_uuid(), now(), now(), (:n & 4095)::smallint, 'click', 'user-' || :n, 'session-' || :n,
  'q-' || :n, 'wireless keyboard', 'sku-' || :n, (:n %% 20 + 1)::integer, 0, '{"page":1,"device":"phone","list":"search"}');
""" % COLUMNS


def psql_command(d, *commands):
    return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", d.database_url(), *(a for c in commands for a in ("-c", c))]


def psql(d, *commands):
    done = subprocess.run(psql_command(d, *commands), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit("bench ingest: " + done.stderr.strip())
    return done.stdout.strip()


def pgbench():
    found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
    paths = [os.path.join(found, "pgbench"), *("/usr/lib/postgresql/%d/bin/pgbench" % v for v in range(18, 12, -1))]
    return next((p for p in paths if os.path.exists(p)), None)


class Client:
    """Posts signals to a daemon by wrk."""

    runs = 0

    def __init__(self, d, directory):
        self.d, self.script = d, os.path.join(directory, "signals.lua")
        with open(self.script, "w", encoding="utf-8") as f:
            f.write(LUA)

    def post(self, batch, seconds, ids=False, connections=64):
        """wrk's row; and the daemon's and PostgreSQL's CPU a signal, loading included, in microseconds; and the rates."""
        d, postgres = self.d, machine.descendants(self.d.process.pid)
        Client.runs += 1
        before = machine.threads_cpu(d.process.pid), sum(map(machine.threads_cpu, postgres)), d.metric("experimentd_signals_total")
        syncs, start = d.metric("experimentd_journal_syncs_total"), time.monotonic()
        row = machine.wrk("http://%s:%d" % (d.host, d.port), self.script, seconds, [batch, int(ids), Client.runs], connections,
                          headers=["Authorization: Bearer " + d.keys["client"]])
        posted = time.monotonic() - start
        row["syncs"] = (d.metric("experimentd_journal_syncs_total") - syncs) / posted
        row["behind"] = d.metric("experimentd_journal_backlog_bytes")
        while d.metric("experimentd_journal_backlog_bytes") > 0:
            time.sleep(0.02)
        loaded = time.monotonic() - start
        row["signals"] = d.metric("experimentd_signals_total") - before[2]
        row["durable"], row["loaded"] = row["signals"] / posted, row["signals"] / loaded
        row["cpu"] = (machine.threads_cpu(d.process.pid) - before[0]) / row["signals"] * 1e6
        row["postgres"] = (sum(map(machine.threads_cpu, postgres)) - before[1]) / row["signals"] * 1e6
        return row


def copy_file(d, directory, form):
    path = os.path.join(directory, "rows." + form)
    psql(d, "\\copy (select %s from signals limit %d) to '%s' (format %s)" % (COLUMNS, COPIED, path, form))
    return path


def copy_seconds(d, path, form):
    start = time.monotonic()
    psql(d, "\\copy signals (%s) from '%s' (format %s)" % (COLUMNS, path, form))
    return time.monotonic() - start

