// The last runs of a job as bars: as high as they took seconds, coloured by state; a bad one also has a mark below.
import { plural } from "../format.js";
import { isBad, stateOf } from "./states.jsx";
import { duration } from "./words.js";

const BARS = 14, STEP = 9, BAR = 7, TALL = 20, FOOT = 6;

function sentence(runs) {
  const bad = runs.filter((run) => isBad(run.state)), last = runs[runs.length - 1];
  return `${plural(runs.length, "run")}, ${bad.length ? `${bad.length} of them bad` : "none of them bad"}; the last: ${stateOf(last.state).word.toLowerCase()}` +
    (last.seconds === null ? "" : ` after ${duration(last.seconds)}`);
}

export function Strip({ runs }) {
  if (!runs?.length) return <span class="quiet">no runs yet</span>;
  const most = Math.max(...runs.map((run) => run.seconds ?? 0)) || 1;
  return (
    <svg class="strip" width={BARS * STEP} height={TALL + FOOT} viewBox={`0 0 ${BARS * STEP} ${TALL + FOOT}`} role="img" aria-label={sentence(runs)}>
      <line x1="0" x2={BARS * STEP} y1={TALL + 0.5} y2={TALL + 0.5} class="strip-floor" />
      {runs.slice(-BARS).map((run, i, shown) => {
        const { tone, word } = stateOf(run.state), x = (BARS - shown.length + i) * STEP + 1, h = Math.max(3, ((run.seconds ?? 0) / most) * TALL);
        return (
          <g key={run.id} class={`tone-${tone}`}>
            <title>{`${word}, ${duration(run.seconds)}`}</title>
            <rect x={x} y={TALL - h} width={BAR} height={h} rx="1" />
            {tone === "bad" && <path d={`M${x + 1} ${TALL + 2.5}l4 3.5m0-3.5l-4 3.5`} class="strip-mark" />}
          </g>);
      })}
    </svg>
  );
}
