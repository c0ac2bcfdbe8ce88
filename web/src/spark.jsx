// A lift by day in the space of a word, beside the name of its metric: a line a treatment, zero as a rule. The numbers stand in the figure by day.
import { inks } from "./days.js";
import { lift } from "./format.js";

const WIDTH = 132, HEIGHT = 30, EDGE = 3;

const drawn = (v) => v.lift_kind !== "none" && v.lift !== null && v.lift !== undefined;

export function Spark({ series, experiment }) {
  const lines = experiment.variants.slice(1).map((variant, i) => ({
    ink: inks[i % inks.length],
    points: (series?.days ?? []).map((d, x) => ({ x, ...d.variants.find((v) => v.variant === variant.key) })).filter(drawn),
  })).filter((line) => line.points.length > 1);
  if (lines.length === 0) return null;
  const all = lines.flatMap((l) => l.points.slice(Math.floor(l.points.length / 4)).map((point) => point.lift));
  const lo = Math.min(0, ...all), hi = Math.max(0, ...all), span = hi - lo || 1, days = series.days.length - 1;
  const x = (at) => EDGE + (at / days) * (WIDTH - 2 * EDGE);
  const y = (v) => HEIGHT - EDGE - ((Math.min(hi, Math.max(lo, v)) - lo) / span) * (HEIGHT - 2 * EDGE);
  const last = lines[0].points[lines[0].points.length - 1];
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Lift by day, at last ${lift(last.lift)}`}>
      <line x1="0" x2={WIDTH} y1={y(0)} y2={y(0)} class="spark-zero" />
      {lines.map((l) => <polyline key={l.ink} points={l.points.map((point) => `${x(point.x).toFixed(1)},${y(point.lift).toFixed(1)}`).join(" ")}
        style={{ stroke: l.ink }} />)}
    </svg>
  );
}
