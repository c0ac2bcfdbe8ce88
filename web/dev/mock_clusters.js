// Models of clusters and of word vectors of the mock: recorded answers.
const copy = (x) => JSON.parse(JSON.stringify(x));

export const clustersOf = (fixtures, { empty } = {}) => (empty ? { models: [], versions: {} } : copy(fixtures.get("clusters")));

function one(state, input) {
  if (input.clusters) return state.groups;
  if (input.cluster) {
    const all = state.members[input.cluster];
    return all ? { ...all, docs: all.docs.slice(0, input.n ?? 10) } : { cluster: input.cluster, labels: [], documents: 0, docs: [], note: "unknown_cluster" };
  }
  if (input.word !== undefined) return state.words[input.word.trim().toLowerCase()] ?? { nearest: [], known: 0, unknown: 1, note: "nothing_known" };
  return state.texts[input.text] ?? { cluster: null, labels: [], distance: null, outlier: true, note: "nothing_in_common" };
}

/** False: it is about something else. */
export function answerClusters(state, { path, body }, reply) {
  const [, name, what] = /^\/v1\/models\/([^/]+)(?:\/(versions|predict))?$/.exec(path) ?? [];
  const model = state.models.find((m) => m.name === name);
  if (!model) return false;
  if (what === "predict") return reply.json(200, { model: name, alias: "champion", version: model.aliases.champion, predictions: body.inputs.map((i) => one(state, i)) });
  return reply.json(200, what ? { versions: state.versions[name] } : model);
}
