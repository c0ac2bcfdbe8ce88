// How the page writes numbers (web/src/format.js), without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reach, tick } from "../../web/src/axis.js";
import * as format from "../../web/src/format.js";

const plain = (text) => text.replace(/\u202f/g, " ").replace(/\u2212/g, "-");
const table = (write, rows) => rows.forEach(([input, expect]) => assert.equal(plain(write(...[].concat(input))), expect, JSON.stringify(input)));

test("a p-value keeps its size, however small", () => table(format.p, [
  [[0.905, null], "0.91"], [[0.0314, null], "0.031"], [[0.00271, null], "0.0027"], [[0.0009, -3.05], "9.0 × 10⁻⁴"],
  [[3.8601785809439535e-191, -190.41], "3.9 × 10⁻¹⁹¹"], [[0, -412.34], "< 10⁻³⁰⁰ (log₁₀ p = -412.3)"],
  [[null, -1234.5], "< 10⁻³⁰⁰ (log₁₀ p = -1,234.5)"], [[1e-310, -310], "< 10⁻³⁰⁰ (log₁₀ p = -310.0)"], [[null, null], "—"], [[1, 0], "1.00"],
]));

test("a value carries its unit", () => table(format.value, [
  [[0.145175, "share"], "14.52 %"], [[12.3456, "seconds"], "12.35 s"], [[0.62736, "count"], "0.6274"], [[0.0594, "score"], "0.0594"],
  [[null, "share"], "—"], [[0, "share"], "0.00 %"],
]));

test("a difference of shares is in percentage points and signed", () => table(format.difference, [
  [[-0.128643, "share"], "-12.86 pp"], [[0.29371, "share"], "+29.37 pp"], [[-0.9, "seconds"], "-0.90 s"], [[0, "count"], "0.0000"],
]));

test("a lift is signed and loses decimals as it grows", () => table(format.lift, [
  [-0.886126, "-88.61 %"], [0.17937, "+17.94 %"], [1.1096, "+111.0 %"], [17.6207, "+1,762 %"], [null, "—"], [0, "0.00 %"],
]));

test("each kind of interval of a lift has its words", () => table(format.liftInterval, [
  [{ lift_kind: "bounded", lift_ci: [-0.1, 0.2] }, "-10.00 % to +20.00 %"],
  [{ lift_kind: "bounded", lift_ci: [-0.1, null] }, "-10.00 % to +∞"],
  [{ lift_kind: "bounded", lift_ci: [null, 0.5] }, "-∞ to +50.00 %"],
  [{ lift_kind: "exclusive", lift_ci: [-2, 5.68] }, "below -200.0 % or above +568.0 %"],
  [{ lift_kind: "exclusive", lift_ci: [null, 0.5] }, "above +50.00 %"],
  [{ lift_kind: "whole_line", lift_ci: null }, "any value"],
  [{ lift_kind: "none", lift_ci: null }, "—"],
]));

test("sums stay whole where they are whole", () => table(format.sum, [[1154, "1,154"], [13.000000000000002, "13"], [634.1, "634.10"], [null, "—"]]));

test("an instant is in UTC, whatever the time zone of the reader", () => table(format.instant, [
  ["2016-03-08T23:00:00.000Z", "8 Mar 2016, 23:00 UTC"], [null, "—"],
]));

test("an axis shows zero and every estimate", () => {
  for (const lifts of [[0.2, 0.3], [-0.9], [], [0.0001], [-0.5, 2.5], [null]]) {
    const [from, to] = reach(lifts, []);
    assert.ok(from < 0 && to > 0);
    lifts.filter((x) => x !== null).forEach((x) => assert.ok(from < x && x < to));
  }
});

test("an interval end that dwarfs the estimates leaves the axis, an ordinary one does not", () => {
  const [from, to] = reach([0.1], [-0.05, 50]);
  assert.ok(from < -0.05 && to > 0.4 && to < 1);
  assert.ok(reach([0.1], [-0.2, 0.35])[1] > 0.35);
});

test("ticks are signed percent", () => assert.deepEqual([0.1, 0, -0.255, 25].map(tick).map(plain), ["+10 %", "0 %", "-25.5 %", "+2,500 %"]));
