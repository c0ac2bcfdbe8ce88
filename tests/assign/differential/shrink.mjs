// Makes a case that differs smaller, as long as it still differs.
const clone = (v) => JSON.parse(JSON.stringify(v));

/** Every way to take one thing away from v: a member, an item, or a value's substance. */
function* smaller(v) {
  if (v === null || typeof v !== "object") return;
  for (const key of Object.keys(v)) {
    const without = clone(v);
    if (Array.isArray(v)) without.splice(Number(key), 1);
    else delete without[key];
    yield without;
    for (const inner of smaller(v[key])) {
      const copy = clone(v);
      copy[key] = inner;
      yield copy;
    }
  }
}

/** Each input made smaller on its own; their number stays. */
function* smallerInputs(inputs) {
  for (let i = 0; i < inputs.length; i++)
    for (const one of smaller(inputs[i])) {
      const copy = clone(inputs);
      copy[i] = one;
      yield copy;
    }
}

/** differs(list of inputs) → the first of them that still differs, or undefined. */
export async function shrink(inputs, differs) {
  for (let round = 0; round < 60; round++) {
    const tries = [];
    for (const one of smallerInputs(inputs)) if (tries.push(one) >= 1500) break;
    const found = await differs(tries);
    if (!found) return inputs;
    inputs = found;
  }
  return inputs;
}
