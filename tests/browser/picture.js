// A picture of the mock for the documentation: picture.js PATH FILE [HEIGHT], wide and light, at the time of the fixtures. Made again when a view changes.
import { fixtures, startMock } from "../../web/dev/mock.js";
import { SIZES, startBrowser } from "./support.js";

const [path, file, height = SIZES.wide.height] = process.argv.slice(2);
const [browser, mock] = await Promise.all([startBrowser(), startMock({ then: true })]);
const page = await browser.open("about:blank");
await page.clock.setFixedTime(fixtures(new URL("../../web/dev/fixtures/jobs", import.meta.url).pathname).get("jobs").recorded_at);
await page.goto(mock.url + path);
await page.locator(".strip, .group-list li, .nearest li, .chart svg, .row, .rewrite, .steps h3, .agree").first().waitFor();
await page.screenshot({ path: file, fullPage: true, clip: { x: 0, y: 0, width: SIZES.wide.width, height: Number(height) } });
await Promise.all([browser.close(), mock.close()]);
