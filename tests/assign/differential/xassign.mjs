// xassign SECTION as a long-lived child: lines go in as they are drawn, answers come back in order, a bounded number under way.
import { spawn, spawnSync } from "node:child_process";

const UNDER_WAY = 4000; // the program's output is buffered, so it may hold back many short answers

export class Xassign {
  constructor(program, section, onAnswer) {
    Object.assign(this, { section, onAnswer, waiting: [], rest: "", wake: null });
    this.child = spawn(program, [section], { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout.setEncoding("utf8").on("data", (text) => this.read(text));
    this.child.stdin.on("error", () => {}); // it has ended: `ended` says how
    this.ended = new Promise((resolve) => this.child.on("close", (code, signal) => { this.dead = true; this.wake?.(); resolve(signal ?? code); }));
  }

  read(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) this.onAnswer(this.waiting.shift(), line);
    this.wake?.();
  }

  async ask(one) {
    this.waiting.push(one);
    if (this.child.stdin.write(one.text + "\n") && this.waiting.length < UNDER_WAY) return;
    while (!this.dead && this.waiting.length >= UNDER_WAY / 2 && (this.child.stdin.writableNeedDrain || this.waiting.length >= UNDER_WAY))
      await new Promise((resolve) => { this.wake = resolve; this.child.stdin.once("drain", resolve); });
  }

  /** No more questions; how the program ended (0: well) once everything is answered. */
  end() {
    this.child.stdin.end();
    return this.ended;
  }
}

/** The answers to a few lines at once, for shrinking. */
export function answers(program, section, lines) {
  const done = spawnSync(program, [section], { input: lines.join("\n") + "\n", encoding: "utf8", maxBuffer: 1 << 28 });
  return done.stdout.split("\n").slice(0, lines.length);
}
