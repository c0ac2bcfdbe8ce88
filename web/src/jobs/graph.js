// Where the jobs stand in the picture of what runs after what, and the lines between them. Pure: jobs and a width in, boxes and paths out.
//
// Lying: a column a layer, a job's longest chain goes straight on to the right, and below again where the width ends. Upright (a phone): a row a
// job, further in by layer.

const LYING = { least: 158, most: 236, height: 122, gap: 28, row: 14, fewest: 3 };
const UPRIGHT = { height: 92, row: 10, indent: 16, stem: 9 };

const after = (trigger) => trigger.type === "job" && trigger.enabled !== false;

/** Jobs that something starts by itself, who starts whom, and each one's layer: the longest way to it. */
export function graphOf(jobs) {
  const known = new Set(jobs.map((job) => job.id));
  const edges = jobs.flatMap((job) => (job.triggers ?? []).filter((t) => after(t) && known.has(t.job) && t.job !== job.id)
    .map((t) => ({ from: t.job, to: job.id, on: t.on ?? ["success"] })));
  const drawn = jobs.filter((job) => (job.triggers ?? []).length || edges.some((e) => e.from === job.id));
  const layers = new Map();
  const layer = (id, path) => {
    if (path.includes(id)) return 0; /* a circle: broken here */
    if (!layers.has(id)) layers.set(id, edges.filter((e) => e.to === id).reduce((most, e) => Math.max(most, layer(e.from, [...path, id]) + 1), 0));
    return layers.get(id);
  };
  drawn.forEach((job) => layer(job.id, []));
  return { jobs: drawn, edges, layers };
}

/** The tree to draw along: each job below the deepest of those that start it; longest chains first. */
function treeOf({ jobs, edges, layers }) {
  const children = new Map(jobs.map((job) => [job.id, []]));
  const roots = [];
  for (const job of jobs) {
    const over = edges.filter((e) => e.to === job.id && layers.get(e.from) < layers.get(job.id)).sort((a, b) => layers.get(b.from) - layers.get(a.from))[0];
    (over ? children.get(over.from) : roots).push(job);
  }
  const reach = (job) => 1 + Math.max(0, ...children.get(job.id).map(reach));
  const byReach = (a, b) => reach(b) - reach(a);
  children.forEach((list) => list.sort(byReach));
  return { roots: roots.sort(byReach), children, alone: (job) => reach(job) === 1 };
}

/** The jobs as they follow each other: who starts whom first, what nothing starts last. */
export function inOrder(jobs) {
  const graph = graphOf(jobs), { roots, children } = treeOf(graph);
  const below = (job) => [job, ...children.get(job.id).flatMap(below)], order = [];
  for (const left = roots.flatMap(below); left.length;) {
    const free = left.findIndex((job) => !graph.edges.some((e) => e.to === job.id && left.some((other) => other.id === e.from)));
    order.push(...left.splice(Math.max(0, free), 1)); /* of a circle the first */
  }
  return [...order, ...jobs.filter((job) => !graph.jobs.includes(job))];
}

/** Column and row of each job, as if there were room for every layer: a chain goes straight on, what branches off stands below it. */
function cellsOf(graph) {
  const { roots, children, alone } = treeOf(graph), cells = new Map(), taken = new Set();
  const column = (job) => graph.layers.get(job.id), rows = () => 1 + Math.max(-1, ...[...cells.values()].map((c) => c.row));
  const straight = (job) => [job, ...children.get(job.id).slice(0, 1).flatMap(straight)];
  const branch = (job, from) => {
    const chain = straight(job);
    let row = from;
    while (chain.some((one) => taken.has(`${column(one)} ${row}`))) row++;
    for (const one of chain) {
      cells.set(one.id, { column: column(one), row });
      taken.add(`${column(one)} ${row}`);
    }
    chain.reverse().forEach((one) => children.get(one.id).slice(1).forEach((child) => branch(child, row + 1)));
  };
  roots.filter((job) => !alone(job)).forEach((job) => branch(job, rows()));
  return { cells, alone: roots.filter(alone) };
}

/** Layers that do not fit beside each other go on in a band below, as lines of text do. */
function placeLying(graph, width, fit) {
  const { cells, alone } = cellsOf(graph), layers = 1 + Math.max(0, ...graph.layers.values());
  const columns = Math.ceil(layers / Math.ceil(layers / fit)), places = new Map();
  const w = Math.min(LYING.most, Math.floor((width - (columns - 1) * LYING.gap) / columns));
  let y = 0;
  const put = (id, column, row, band) => places.set(id, { x: column * (w + LYING.gap), y: y + row * (LYING.height + LYING.row), w, h: LYING.height, band });
  for (let band = 0; band * columns < layers; band++) {
    const here = [...cells].filter(([, c]) => Math.floor(c.column / columns) === band);
    const rows = [...new Set(here.map(([, c]) => c.row))].sort((a, b) => a - b);
    here.forEach(([id, c]) => put(id, c.column % columns, rows.indexOf(c.row), band));
    if (rows.length) y += rows.length * (LYING.height + LYING.row) + LYING.row;
  }
  alone.forEach((job, i) => put(job.id, i % columns, Math.floor(i / columns), -1));
  return places;
}

function placeUpright(graph, width) {
  const { roots, children } = treeOf(graph), places = new Map();
  const branch = (job) => {
    const x = graph.layers.get(job.id) * UPRIGHT.indent;
    places.set(job.id, { x, y: places.size * (UPRIGHT.height + UPRIGHT.row), w: width - x, h: UPRIGHT.height });
    children.get(job.id).forEach(branch);
  };
  roots.forEach(branch);
  return places;
}

/** From the right side of one box to the left side of another; between bands round the end of the line and back to its beginning. */
function lyingPath(a, b) {
  const x = a.x + a.w, y = a.y + a.h / 2, toY = b.y + b.h / 2;
  if (a.band !== b.band) {
    const r = 8, out = LYING.gap / 2, way = b.y - LYING.row;
    return `M${x} ${y}h${out - r}q${r} 0 ${r} ${r}V${way - r}q0 ${r} ${-r} ${r}H${b.x - out + r}q${-r} 0 ${-r} ${r}V${toY - r}q0 ${r} ${r} ${r}H${b.x}`;
  }
  const half = (b.x - x) / 2;
  return `M${x} ${y}C${x + half} ${y} ${b.x - half} ${toY} ${b.x} ${toY}`;
}

/** Down from below one box, then in to the side of another. */
function uprightPath(a, b) {
  const x = a.x + UPRIGHT.stem, y = b.y + b.h / 2, bend = 6;
  return `M${x} ${a.y + a.h}V${y - bend}Q${x} ${y} ${x + bend} ${y}H${b.x}`;
}

/** {nodes: [{job, x, y, w, h}], lines: [{path, on, from, to}], height, upright} */
export function layout(jobs, width) {
  const graph = graphOf(jobs), layers = 1 + Math.max(0, ...graph.layers.values());
  const fit = Math.floor((width + LYING.gap) / (LYING.least + LYING.gap)), upright = fit < Math.min(layers, LYING.fewest);
  const places = upright ? placeUpright(graph, width) : placeLying(graph, width, fit);
  const lines = graph.edges.map((e) => ({ ...e, path: (upright ? uprightPath : lyingPath)(places.get(e.from), places.get(e.to)) }));
  const nodes = graph.jobs.map((job) => ({ job, ...places.get(job.id) })).sort((a, b) => a.y - b.y || a.x - b.x);
  return { nodes, lines, upright, height: Math.max(0, ...nodes.map((n) => n.y + n.h)) };
}
