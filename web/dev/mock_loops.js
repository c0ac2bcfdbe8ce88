// Loops of models of the mock: recorded stories, and what a person wants of what is being tried.
const copy = (x) => JSON.parse(JSON.stringify(x));

const OTHER = "item-similarity"; /* has the same story, for its page to lead there */

/** `which`: trying, promoted or dropped. */
export function loopsOf(fixtures, { empty, which = "trying" } = {}) {
  const { story, results, timeseries } = copy(fixtures.get(which));
  return { stories: empty ? {} : { [story.model]: story, [OTHER]: { ...copy(story), model: OTHER } }, experiments: results ? { [results.experiment.key]: { results, timeseries } } : {}, fixtures };
}

/** The page shows what waits for a person: as if the experiment had ended so. */
export function awaiting(state, name) {
  const story = state.stories[name], { version, experiment, experiment_phase: phase } = story.loop.state;
  story.loop.approve = "person";
  story.loop.state.phase = "awaiting";
  story.steps.unshift({ ...story.steps[0], id: story.steps[0].id + 1, step: "awaiting", version, experiment, phase, who: "loop", reason: "Ship \"challenger\": every condition is met." });
}

const acts = { approve: "promoted", reject: "rejected", stop: "stopped" };

function act(story, what, reply) {
  const { phase, version, experiment, experiment_phase } = story.loop.state;
  if (phase === "idle") return reply.problem(409, "Conflict", `model "${story.model}" has no version that is being tried`);
  if (phase === "trying" && what !== "stop") return reply.problem(409, "Conflict", `model "${story.model}" has a version that is being tried, and nothing that waits for a person yet: "stop" ends it`);
  story.steps.unshift({ ...story.steps[0], id: story.steps[0].id + 1, step: acts[what], version, experiment, phase: experiment_phase, who: "you", reason: `${what} by you` });
  if (what === "approve") story.aliases.champion = version;
  delete story.aliases.challenger;
  story.loop.state = { phase: "idle" };
  return reply.json(202, story.loop);
}

/** False: it is about something else. */
export function answerLoops(state, { method, path }, reply) {
  const [, key, which] = /^\/v1\/experiments\/([^/]+)\/(results|timeseries)$/.exec(path) ?? [];
  if (key && state.experiments[key]) return reply.json(200, state.experiments[key][which]);
  const [, name, what, wish] = /^\/v1\/models\/([^/]+)\/(story|loop)(?:\/(approve|reject|stop))?$/.exec(path) ?? [];
  if (!name) return false;
  const story = state.stories[decodeURIComponent(name)];
  if (what === "story") return reply.json(200, story ?? { model: name, kind: "recommender", aliases: {}, loop: null, steps: [], versions: [] });
  if (!story?.loop) return reply.problem(404, "Not Found", `model "${name}" has no loop`);
  return method === "POST" && wish ? act(story, wish, reply) : reply.json(200, story.loop);
}
