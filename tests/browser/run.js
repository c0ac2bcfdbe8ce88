// What CTest starts: run.js FILE... . Fetches the pinned packages when they are missing, then runs the tests with node:test.
// What is not there (Chromium, the built page, the packages) is said loudly and skips everything: exit 77.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const has = (path) => existsSync(join(here, path));

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(77);
}

if (!existsSync(process.env.CHROMIUM || "/usr/bin/chromium")) skip("no Chromium at /usr/bin/chromium (apt-get install chromium)");
if (!has("../../web/dist/index.html")) skip("the page has not been built: script/setup, or (cd web && npm ci && npm run build)");
if (!has("node_modules/playwright-core/package.json")) {
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, encoding: "utf8" });
  if (npm.status !== 0) skip(`npm ci in tests/browser failed: ${(npm.stderr || String(npm.error)).trim().split("\n").pop()}`);
}
const files = process.argv.slice(2).map((name) => join(here, name));
const tests = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...files], { stdio: "inherit" });
process.exit(tests.status ?? 1);
