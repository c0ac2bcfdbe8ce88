// Prints assign/lower.c: the code points that JavaScript's toLowerCase() changes into one other.
const rows = [];
let last = null;
for (let c = 0; c < 0x110000; c++) {
  if (c >= 0xd800 && c < 0xe000) continue;
  const lower = [...String.fromCodePoint(c).toLowerCase()];
  const by = lower[0].codePointAt(0) - c;
  if (lower.length !== 1 || by === 0) continue;
  const step = last ? c - last.last : 0;
  if (last && last.by === by && (last.first === last.last ? step <= 2 : step === last.step)) {
    last.step = step;
    last.last = c;
  } else {
    rows.push((last = { first: c, last: c, by, step: 1 }));
  }
}
const row = (r) => `    { 0x${r.first.toString(16)}, 0x${r.last.toString(16)}, ${r.by}, ${r.step} },`;
const lines = rows.map(row);
console.log("/* Made by tests/assign/vectors/lower.mjs. */");
console.log('#include "assign/lower.h"\n\nconst struct assign_lower_row assign_lower_rows[] = {');
console.log(lines.join("\n"));
console.log("};\nconst size_t assign_lower_count = sizeof assign_lower_rows / sizeof *assign_lower_rows;");
