// What CTest starts: fetches the pinned SDK when it is missing, then runs differential.mjs. Without the SDK it says so and skips: exit 77.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

if (!existsSync(new URL("node_modules/@growthbook/growthbook/package.json", import.meta.url))) {
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, encoding: "utf8" });
  if (npm.status !== 0) {
    console.log(`skipped: npm ci in tests/assign/differential failed: ${(npm.stderr || String(npm.error)).trim().split("\n").pop()}`);
    process.exit(77);
  }
}
const test = spawnSync(process.execPath, [here + "differential.mjs", ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(test.status ?? 1);
