// A stream of server-sent events, read with fetch, because EventSource sends no key; it connects again by itself.
import { openEvents } from "./api.js";

const AGAIN_MS = 3000;

/** Whole events of a text; what is left of it belongs to the next piece. */
export function readEvents(text) {
  const blocks = text.split("\n\n"), rest = blocks.pop(), events = [];
  for (const block of blocks) {
    const event = { data: "" };
    for (const line of block.split("\n")) {
      const [, name, value] = /^(event|id|data): ?(.*)$/.exec(line) || [];
      if (name) event[name] = name === "data" ? event.data + value : value;
    }
    if (event.event) events.push({ event: event.event, id: event.id, data: JSON.parse(event.data) });
  }
  return { events, rest };
}

async function follow(path, last, stop, onEvents) {
  const reader = await openEvents(path, last.id, stop.signal);
  const words = new TextDecoder();
  let text = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const { events, rest } = readEvents(text + words.decode(piece.value, { stream: true }));
    text = rest;
    for (const e of events) last.id = e.id || last.id;
    if (events.length) onEvents(events);
  }
}

/** Follows one address until `stop`; every end but a missing key is followed by another try behind the last event. */
export async function followOn(path, stop, onEvents, onError) {
  const last = { id: null };
  while (!stop.signal.aborted) {
    let error = { kind: "away", message: "the stream ended" };
    try {
      await follow(path, last, stop, onEvents);
    } catch (e) {
      error = e;
    }
    if (stop.signal.aborted) return;
    onError(error);
    if (error.kind === "key") return;
    await new Promise((after) => setTimeout(after, AGAIN_MS));
  }
}
