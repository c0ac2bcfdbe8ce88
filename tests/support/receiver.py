"""A receiver of webhooks: keeps the JSON that is posted to it.

    with Receiver(refuse=1) as receiver:      # refuses the first post with 500
        …
        message = receiver.wait(1)[0]
"""
import hashlib
import hmac
import http.server
import json
import threading

from daemon import wait_for


class Receiver:
    def __init__(self, refuse=0, path="/alarms?team=search"):
        self.messages, self.signatures, self.bodies, self.refused, outer = [], [], [], 0, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.refused < refuse:
                    outer.refused += 1
                    status = 500
                else:
                    outer.messages.append((self.path, self.headers["Content-Type"], json.loads(body)))
                    outer.signatures.append(self.headers["X-Experimentd-Signature"])
                    outer.bodies.append(body)
                    status = 204
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d%s" % (self.server.server_address[1], path)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, count):
        wait_for(lambda: len(self.messages) >= count, "%d messages" % count)
        return [message for _, _, message in self.messages]

    def is_signed(self, number, secret):
        """As a receiver would check it."""
        parts = dict(part.split("=", 1) for part in self.signatures[number].split(","))
        wanted = hmac.new(secret, parts["t"].encode() + b"." + self.bodies[number], hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, parts["v1"])
