"""What was searched, query by query, from all rows of the table signals in plain Python: what trainer/kernels/queries/query_day.h says it counts."""
import collections
import json

DAY, HOUR = 86400000000, 3600000000
KINDS = {"request": 0, "response": 1}


def normal(query):
    return " ".join(query.lower().split()) if query else ""


class Query:
    def __init__(self):
        self.searches = self.zero = self.sessions = 0
        self.units, self.docs, self.next, self.same = set(), collections.Counter(), collections.Counter(), collections.Counter()

    @property
    def clicks(self):
        return sum(self.docs.values())


class QueryLog:
    """Of the days from … until (numbers since 1970)."""

    def __init__(self, daemon, first, until, clicks=("click",), gap_minutes=30):
        marked = {r[0] for r in daemon.sql("select unit from marked_units where mark <> 0")}
        rows = [(r[0], r[1], normal(json.loads(r[2])), r[3], r[4], r[5], int(r[6]), r[7]) for r in daemon.sql(
            "select type, unit, coalesce(to_json(query), 'null'), doc, query_id, session, us(at), value from signals order by random()")]
        self.clicks, self.gap, self.queries, self.sessions = clicks, gap_minutes * 60000000, collections.defaultdict(Query), 0
        units = collections.defaultdict(list)
        for kind, unit, query, doc, query_id, session, at, value in rows:
            if unit not in marked and (kind in KINDS or (kind in clicks and query and doc)):
                units[unit].append((at, KINDS.get(kind, 2), query, doc, query_id, session, value))
        for unit, events in units.items():
            events.sort()
            for day in range(first, until + 1):
                view = [e for e in events if day * DAY <= e[0] < (day + 1) * DAY + HOUR]
                if view:
                    self.add_view(unit, view, (day + 1) * DAY)
        self.searches = sum(q.searches for q in self.queries.values())
        for text in [t for t, q in self.queries.items() if not (q.searches or q.clicks or q.same)]:
            del self.queries[text]

    def add_view(self, unit, events, end):
        known, session, last, searches = {}, [], None, []
        for at, kind, query, doc, query_id, session_id, value in events:
            if last and (at - last[0] > self.gap or (last[1] and session_id and last[1] != session_id)):
                self.add_session(session, end)
                session = []
            last = at, session_id
            if kind == 2:
                if at < end:
                    self.queries[query].docs[doc] += 1
                continue
            if kind == 0:
                search = known.get((query_id, query)) if query_id else None
                if not search:
                    search = {"query": query, "at": at, "values": []}
                    searches.append(search)
                    session.append(search)
                    if query_id:
                        known[query_id, query] = known[query_id, ""] = search
            else:
                search = known.get((query_id, query)) if query_id else session[-1] if session else None
            if search and value:
                search["values"].append(float(value))
        self.add_session(session, end)
        for s in searches:
            if s["at"] < end:
                q = self.queries[s["query"]]
                q.searches += 1
                q.units.add(unit)
                q.zero += bool(s["values"]) and max(s["values"]) <= 0

    def add_session(self, session, end):
        for s, after in zip(session, session[1:] + [None]):
            if s["at"] < end and after and after["query"] != s["query"]:
                self.queries[s["query"]].next[after["query"]] += 1
        first = {}
        for s in session:
            first.setdefault(s["query"], s["at"])
        texts = list(first)
        self.sessions += bool(texts) and first[texts[0]] < end
        for i, a in enumerate(texts):
            if first[a] < end:
                self.queries[a].sessions += 1
                for b in texts[i + 1:]:
                    self.queries[a].same[b] += 1
                    self.queries[b].same[a] += 1
