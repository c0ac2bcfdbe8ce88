"""What the tests of collecting SDKs share: a proxy that notes what they send and are answered, running send.js, and what its events become."""
import collections
import gzip
import http.client
import http.server
import json
import os
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 120

# at: monotonic seconds; events: what the request holds, the same when it is sent again; retry_after: what the answer told
Answer = collections.namedtuple("Answer", "path status body at events retry_after")


def events_of(body, encoding):
    """What stays the same when a client sends the request again: the ids of its events, or what it holds."""
    whole = json.loads(gzip.decompress(body) if encoding == "gzip" else body)
    return tuple(e["messageId"] for e in whole["batch"]) if "batch" in whole else json.dumps(whole)


class Proxy(http.server.ThreadingHTTPServer):
    """Forwards to the daemon, unless `refusals` holds a status to answer with. Notes what was sent and answered."""
    daemon_threads = True

    def __init__(self, daemon):
        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon, self.refusals, self.seen = daemon, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_address[1]

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self, body):
        up = http.client.HTTPConnection(self.server.daemon.host, self.server.daemon.port, timeout=SECONDS)
        up.request("POST", self.path, body, {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")})
        reply = up.getresponse()
        answer = reply.status, {k: v for k, v in reply.getheaders() if k.lower() not in ("connection", "content-length", "date")}, reply.read()
        up.close()
        return answer

    def do_POST(self):
        body, at, proxy = self.rfile.read(int(self.headers.get("Content-Length", 0))), time.monotonic(), self.server
        if proxy.refusals:
            status, headers, answer = proxy.refusals.pop(0), {"Retry-After": "1"}, b"{}"
        else:
            status, headers, answer = self.forward(body)
        events = events_of(body, self.headers.get("Content-Encoding"))
        proxy.seen.append(Answer(self.path.split("?")[0], status, answer, at, events, headers.get("Retry-After")))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def start_sdk(node, client, url, key):
    return subprocess.Popen([node, os.path.join(HERE, "send.js"), client, url, key], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_sdk(process):
    """Exit status, what it said (JSON lines), and its standard error."""
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, [json.loads(line) for line in out.splitlines() if line.startswith("{")], err


Q = "43b15df305339e827f0ac0bdc5ebcaa7"
ROWS_OF_TRACKERS = [  # type, unit, query_id, query, doc, position, value
    ["request", "anon-1", "q-1", "laptop", "", "0", "-1"], ["response", "anon-1", "q-1", "laptop", "", "0", "2"],
    ["impression", "anon-1", "q-1", "laptop", "B01", "1", "-1"], ["impression", "anon-1", "q-1", "laptop", "B02", "2", "-1"],
    ["click", "anon-1", "q-1", "laptop", "B02", "2", "-1"], ["cart", "anon-1", "q-1", "laptop", "B02", "0", "21"],
    ["purchase", "anon-1", "", "", "B02", "0", "21"], ["purchase", "anon-1", "", "", "B03", "0", "5"],
    ["wish_list_shared", "anon-1", "", "", "", "0", "3"], ["identify", "anon-1", "", "", "", "0", "-1"],
    ["page", "anon-1", "", "", "", "0", "-1"]]
ROWS_OF_INSIGHTS = [
    ["impression", "user-1", "", "", "B01", "0", "-1"], ["impression", "user-1", "", "", "B02", "0", "-1"],
    ["click", "user-1", Q, "", "B02", "2", "-1"], ["cart", "user-1", Q, "", "B02", "0", "21"],
    ["purchase", "user-1", "", "", "B02", "0", "21"], ["purchase", "user-1", "", "", "B03", "0", "5"],
    ["click", "user-1", "", "", "B04", "0", "-1"]]
ROWS_OF_PAGE = [
    ["impression", "user-1", "", "", "B01", "0", "-1"], ["impression", "user-1", "", "", "B02", "0", "-1"],
    ["click", "user-1", Q, "", "B02", "2", "-1"], ["click", "user-1", "", "", "B04", "0", "-1"],
    ["conversion", "user-1", Q, "", "B02", "0", "-1"]]


def rows(daemon, unit="%"):
    """In the form of the lists above, by time."""
    return daemon.sql("select type, unit, coalesce(query_id, ''), coalesce(query, ''), coalesce(doc, ''), coalesce(position, 0), "
                      "coalesce(value, -1) from signals where unit like '%s' and unit <> 'filler' order by at, type, doc" % unit)
