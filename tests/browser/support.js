// What the browser tests share: Chromium, a page that collects everything it complains about, and reading figures.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];
export const SHOTS = join(process.env.BUILD_DIR || fileURLToPath(new URL("../../build", import.meta.url)), "screenshots");
export const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

/** Starts Chromium with a new, empty profile. `open(address, options)` gives a page whose `complaints` must stay empty. */
export async function startBrowser() {
  const profile = mkdtempSync(join(tmpdir(), "experimentd-browser-"));
  const browser = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: ARGS, headless: true });
  mkdirSync(SHOTS, { recursive: true });
  const close = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { open: (address, options) => open(browser, address, options), close };
}

async function open(browser, address, { size = "wide", scheme = "light" } = {}) {
  const page = await browser.newPage();
  page.complaints = [];
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && page.complaints.push(m.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`));
  });
  await page.setViewportSize(SIZES[size]);
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.goto(address);
  return page;
}

/** Waits until a result and its figures are drawn (no waitForFunction: it needs eval, which the page's policy forbids). */
export async function drawn(page, figures = 3) {
  await page.waitForSelector(".result");
  if (figures) await page.locator(".chart svg").nth(figures - 1).waitFor();
  return page;
}

export async function shot(page, name) {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

/** Pixels per unit of value and the pixel of zero, read back from the drawn ticks ("+10 %" at x), not from our code. */
export function axisOf(ticks) {
  const read = ticks.map(({ text, at }) => [Number(text.replace("\u2212", "-").replace(/[^0-9.+-]/g, "")) / 100, at]).sort((a, b) => a[0] - b[0]);
  const [v0, p0] = read[0], [v1, p1] = read[read.length - 1];
  const scale = (p1 - p0) / (v1 - v0);
  return { toValue: (pixel) => v0 + (pixel - p0) / scale, pixel: 1 / Math.abs(scale) };
}

/** Ticks, interval lines and points of the figure under heading `id`, in the coordinates of its SVG. */
export function readFigure(page, id) {
  return page.evaluate((heading) => {
    const svg = document.getElementById(heading).closest("section").querySelector(".chart svg");
    const moved = (node) => {
      const m = svg.getScreenCTM().inverse().multiply(node.getScreenCTM());
      return (x, y) => ({ x: m.a * x + m.c * y + m.e, y: m.b * x + m.d * y + m.f });
    };
    const ticks = (axis) => [...svg.querySelectorAll(`[aria-label="${axis}-axis tick label"] text`)].map((t) => {
      const at = moved(t)(0, 0);
      return { text: t.textContent, x: at.x, y: at.y };
    });
    const lines = [...svg.querySelectorAll(".interval line")].map((l) => {
      const at = moved(l), get = (n) => Number(l.getAttribute(n));
      return { ...at(get("x1"), get("y1")), end: at(get("x2"), get("y2")).x };
    });
    const points = (label) => [...svg.querySelectorAll(`.${label} :is(path, circle)`)].map((d) => {
      const cx = Number(d.getAttribute("cx") || 0), cy = Number(d.getAttribute("cy") || 0);
      return moved(d)(cx, cy);
    });
    return { xTicks: ticks("x"), yTicks: ticks("y"), lines, estimates: points("estimate"), arrows: points("goes-on"), days: points("lift-of-a-day") };
  }, id);
}
