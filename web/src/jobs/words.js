// Schedules, durations and instants of jobs as words. Nothing here computes when a job is due: the daemon says that.
import { plural } from "../format.js";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const SHORT = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const two = (n) => String(n).padStart(2, "0");
const and = (list) => (list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]}`);

/** "43 ms", "0.4 s", "12 s", "3 min 05 s", "2 h 10 min", "3 d 4 h". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "\u2014";
  const s = Math.round(seconds);
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** As `duration`, but no finer than one would wait for: "3 h 12 min", "12 min", "40 s". */
export function about(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : duration(seconds);
}

/** "in 3 h 12 min", "5 min ago", "15 h ago", "now". */
export function fromNow(text, now) {
  const seconds = (new Date(text) - now) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  if (seconds > 0) return `in ${about(seconds)}`;
  return `${seconds < -2 * 3600 && seconds > -86400 ? `${Math.floor(-seconds / 3600)} h` : about(-seconds)} ago`;
}

/** As `fromNow` of what is still to come; what should have begun is "due". */
export const dueIn = (text, now) => (new Date(text) - now < 1000 ? "due now" : fromNow(text, now));

function writer(timeZone, options) {
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: timeZone || "UTC" });
  } catch {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
  }
}

export const HOUR = { hour: "2-digit", minute: "2-digit" };
const MOMENT = { weekday: "short", day: "numeric", month: "short", ...HOUR };

/** "Sat 28 Nov, 02:00" where the job's clock stands; "02:00" with HOUR. */
export const moment = (text, timeZone, options = MOMENT) => writer(timeZone, options).format(new Date(text));

/** "02:00:07" in the same zone. */
export function clock(text, timeZone) {
  return moment(text, timeZone, { ...HOUR, second: "2-digit" });
}

const whole = (field, max) => /^\d+$/.test(field) && Number(field) <= max;
const list = (field, max) => field.split(",").every((part) => whole(part, max)) && field.split(",").map(Number);
/** Of "every so many" that fall evenly into the hour or the day. */
function step(field, of) {
  const n = Number(/^(?:\*|0)\/(\d+)$/.exec(field)?.[1]);
  return n > 0 && of % n === 0 ? n : null;
}
const NAMES = { "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *" };

function weekdays(field) {
  if (/^(1-5|mon-fri)$/i.test(field)) return "every weekday";
  const found = field.split(",").map((part) => (whole(part, 7) ? Number(part) % 7 : SHORT.indexOf(part.toUpperCase())));
  return found.every((day) => day >= 0) ? `every ${and([...new Set(found)].map((day) => DAYS[day]))}` : null;
}

/** Words for the usual patterns of cron; null for the others. */
export function cronWords(text) {
  const fields = (NAMES[text.trim()] ?? text.trim()).replace(/\?/g, "*").split(/\s+/);
  if (fields.length === 6 && fields[0] === "0") fields.shift();
  if (fields.length !== 5) return null;
  const [minute, hour, day, month, week] = fields;
  if (month !== "*") return null;
  const daily = day === "*" && week === "*";
  if (daily && hour === "*" && minute === "*") return "every minute";
  if (daily && hour === "*" && step(minute, 60)) return `every ${plural(step(minute, 60), "minute")}`;
  if (!whole(minute, 59)) return null;
  if (daily && hour === "*") return `every hour at ${two(minute)} past`;
  if (daily && step(hour, 24)) return `every ${plural(step(hour, 24), "hour")} at ${two(minute)} past`;
  const hours = list(hour, 23);
  if (!hours) return null;
  const at = `at ${and(hours.map((h) => `${two(h)}:${two(minute)}`))}`;
  if (daily) return `every day ${at}`;
  if (day === "*") return weekdays(week) && `${weekdays(week)} ${at}`;
  return week === "*" && whole(day, 31) ? `on day ${Number(day)} of every month ${at}` : null;
}

const ENDS = { success: "succeeded", failed: "failed", cancelled: "was cancelled" };

/** When one trigger starts the job. `nameOf`: the name of another job. Without a time zone: in few words. */
export function triggerWords(trigger, timezone, nameOf) {
  if (trigger.type === "interval")
    return trigger.every === 1 ? `every ${trigger.unit}` : `every ${trigger.every} ${trigger.unit}s`;
  if (trigger.type === "job") {
    const on = trigger.on ?? ["success"];
    if (!timezone && on.includes("success")) return `after ${nameOf(trigger.job)}`;
    return `after ${nameOf(trigger.job)} ${on.length === 3 ? "ended" : and(on.map((end) => ENDS[end] ?? end)).replace(" and ", " or ")}`;
  }
  return `${cronWords(trigger.value) ?? `by cron \u201c${trigger.value}\u201d`}${timezone ? ` ${timezone}` : ""}`;
}

/** What started a run. */
export const CAUSES = { schedule: "by its schedule", manual: "by hand", job: "after another job", api: "through the API", shell: "from a shell", retry: "as another try" };
