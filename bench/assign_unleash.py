"""unleash-server with 50 flags: installed by npm on first use, on a database of its own in the daemon's PostgreSQL."""
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

import assign_common as common
from daemon import wait_for

FOLDER = os.path.join(common.HERE, "unleash")
ADMIN, FRONTEND = "*:*.bench-admin", "*:development.bench-frontend"
NO_LIMIT = "1000000000"


def install():
    """None, or why it is not there."""
    if os.path.exists(os.path.join(FOLDER, "node_modules", "unleash-server")):
        return None
    try:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=FOLDER, check=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as e:
        return "npm cannot install it here (%s)" % e
    return None


class Unleash:
    def __init__(self, d, directory, port):
        self.url, self.log_path = "http://127.0.0.1:%d" % port, os.path.join(directory, "unleash.log")
        d.sql("create database unleash")
        owner = d.sql("select current_user")[0][0]
        environment = {**os.environ, "NODE_ENV": "production", "DATABASE_HOST": os.path.join(d.dir, "run"), "DATABASE_NAME": "unleash",
                       "DATABASE_USERNAME": owner, "DATABASE_PASSWORD": "none", "DATABASE_SSL": "false", "PORT": str(port),
                       "HTTP_HOST": "127.0.0.1", "INIT_ADMIN_API_TOKENS": ADMIN, "INIT_FRONTEND_API_TOKENS": FRONTEND,
                       "LOG_LEVEL": "error", "CHECK_VERSION": "false", "SEND_TELEMETRY": "false",
                       "TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE": NO_LIMIT, "SDK_API_RATE_LIMIT_PER_MINUTE": NO_LIMIT}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["node", "node_modules/unleash-server/dist/server.js"], cwd=FOLDER, env=environment,
                                            stdout=log, stderr=log)
        self.pid = self.process.pid
        try:
            wait_for(self._up, "unleash-server to answer", 90)
            for i in range(common.EXPERIMENTS):
                self._make_flag(i)
            self.toggles = wait_for(self._evaluates, "unleash-server to know its flags", 30)
        except BaseException:
            self.close()
            raise

    def call(self, method, path, body=None, token=ADMIN):
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(),
                                         {"Authorization": token, "Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as reply:
            return reply.read()

    def _up(self):
        if self.process.poll() is not None:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                raise RuntimeError("unleash-server ended: " + f.read()[-1000:])
        try:
            return self.call("GET", "/health")
        except (OSError, urllib.error.HTTPError):
            return None

    def _make_flag(self, i):
        name = "ranker-%02d" % i
        path = "/api/admin/projects/default/features/%s/environments/development" % name
        self.call("POST", "/api/admin/projects/default/features", {"name": name, "type": "experiment"})
        self.call("POST", path + "/strategies", {
            "name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": "userId", "groupId": name},
            "constraints": [{"contextName": "country", "operator": "IN", "values": common.countries(i)},
                            {"contextName": "age", "operator": "NUM_GTE", "value": str(common.least_age(i))}]})
        self.call("POST", path + "/on", {})

    def _evaluates(self):
        """The toggles of one unit; its memory of the flags is refreshed each second."""
        time.sleep(1.5)
        reply = self.call("POST", "/api/frontend", json.loads(body_of(common.units(1)[0])), FRONTEND)
        return json.loads(reply)["toggles"]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def body_of(unit):
    return json.dumps({"context": {"userId": unit["id"], "properties": {"country": unit["country"], "age": str(unit["age"])}}},
                      separators=(",", ":"))
