"""Small HTTP servers that answer as search engines do, written from the documentation of Solr, Elasticsearch and from plain JSON; and that misbehave on request.

    with Engine("solr", {"lamp": ["a", "b"]}, trouble={"slow": "slow"}) as engine: … engine.url … engine.seen

`rankings`: of each query its documents. `trouble`: of a query what goes wrong: slow (no answer in time), cut (half of one), 500, 404, garbage, huge, partial, twice (503
two times, then the answer), no_id. `seen`: the requests that came: (path, parameters, body, headers). `most`: how many were under way at once, at most. No real engine is in it.
"""
import gzip
import http.server
import json
import ssl
import threading
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer("")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def answer(self, body):
        engine, url = self.server.engine, urllib.parse.urlsplit(self.path)
        params = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        with engine.lock:
            engine.seen.append((url.path, params, body, dict(self.headers)))
            engine.under_way += 1
            engine.most = max(engine.most, engine.under_way)
        try:
            time.sleep(engine.pause)
            query, k = engine.asked(params, body)
            self.reply(engine, query, k, engine.trouble.get(query))
        finally:
            with engine.lock:
                engine.under_way -= 1

    def reply(self, engine, query, k, trouble):
        text = json.dumps(engine.answer_of(query, k, trouble)).encode()
        if trouble == "slow":
            engine.stopped.wait(30)
        elif trouble == "twice" and sum(1 for s in engine.seen if engine.asked(s[1], s[2])[0] == query) <= 2:
            return self.send(503, b"wait", {"Retry-After": "1"})
        elif trouble in ("500", "404"):
            return self.send(int(trouble), b'{"error":{"msg":"no such field \\"x\\""}}')
        elif trouble == "garbage":
            return self.send(200, b"<html>\x00\xff not what you think")
        elif trouble == "huge":
            return self.send(200, gzip.compress(b'{"filler":"' + b"x" * (9 << 20) + b'"}'), {"Content-Encoding": "gzip"})
        elif trouble == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text[:len(text) // 2])
            self.close_connection = True
            return None
        return self.send(200, gzip.compress(text) if engine.packs else text, {"Content-Encoding": "gzip"} if engine.packs else {})

    def send(self, status, body, headers=None):
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


class Engine:
    def __init__(self, kind, rankings, trouble=None, pause=0.0, packs=False, certificate=None, address="127.0.0.1"):
        self.kind, self.rankings, self.trouble, self.pause, self.packs = kind, rankings, trouble or {}, pause, packs
        self.seen, self.under_way, self.most, self.lock, self.stopped = [], 0, 0, threading.Lock(), threading.Event()
        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads, self.server.engine = True, self
        scheme = "http"
        if certificate:
            context, scheme = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "https"
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = "%s://%s:%d" % (scheme, address, self.server.server_address[1])
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def asked(self, params, body):
        if body:
            asked = json.loads(body)
            return asked["query"]["multi_match"]["query"], int(asked["size"])
        return params["q"], int(params.get("rows", params.get("n", 10)))

    def answer_of(self, query, k, trouble):
        """The documented forms: Solr's response writer, Elasticsearch's search API, somebody's own."""
        docs = self.rankings.get(query, [])[:k]
        partial, key = trouble == "partial", "title" if trouble == "no_id" else "id"
        if self.kind == "solr":
            header = {"status": 0, "QTime": 3, "params": {"q": query}, **({"partialResults": True} if partial else {})}
            return {"responseHeader": header, "response": {"numFound": len(docs), "start": 0, "numFoundExact": True, "docs": [{key: d} for d in docs]}}
        if self.kind == "elasticsearch":
            hits = [{"_index": "products", "_" + key: d, "_score": 9.5 - i} for i, d in enumerate(docs)]
            return {"took": 4, "timed_out": partial, "_shards": {"total": 3, "successful": 3, "skipped": 0, "failed": 0},
                    "hits": {"total": {"value": len(docs), "relation": "eq"}, "max_score": 9.5, "hits": hits}}
        return {"results": [{"items": [{"product": {key: d}} for d in docs]}]}
