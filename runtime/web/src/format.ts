// Numbers, durations and times as text.

/** A space that groups digits and never breaks a line. */
const THIN = "\u202f";

/** `31 402`. */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** A count and its word: `1 step`, `31 402 steps`. */
export function counted(n: number, word: string, many = `${word}s`): string {
  return `${count(n)} ${n === 1 ? word : many}`;
}

/** Three digits that tell: `1.24`, `12.4`, `124`. */
function digits(n: number): string {
  if (n === 0) return "0";
  return n < 9.995 ? n.toFixed(2) : n < 99.95 ? n.toFixed(1) : n.toFixed(0);
}

const two = (n: number) => String(n).padStart(2, "0");

/** Seconds: `420 µs`, `18 ms`, `1.24 s`, `2 m 17 s`, `1 h 02 m`, `3 d 04 h`. */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s === 0) return "0 s";
  if (s < 0.000_999_5) return `${Math.max(1, Math.round(s * 1e6))} µs`;
  if (s < 0.9995) return `${s < 0.01 ? (s * 1e3).toFixed(1) : Math.round(s * 1e3)} ms`;
  if (s < 59.95) return `${digits(s)} s`;
  const whole = Math.round(s);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** Seconds that go on: whole ones from ten on, so that a clock is calm. */
export function clock(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  return seconds < 60 ? `${Math.floor(seconds)} s` : duration(Math.floor(seconds));
}

/** A rate per second: `727/s`, `3.2/s`, `12/min`. */
export function rate(perSecond: number): string {
  if (perSecond >= 100) return `${count(perSecond)}/s`;
  if (perSecond >= 1) return `${perSecond.toFixed(1)}/s`;
  return `${(perSecond * 60).toFixed(perSecond * 60 < 10 ? 1 : 0)}/min`;
}

/** `1.5 KB`, by thousands. */
export function bytes(n: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let size = n;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : digits(size)} ${units[unit]}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** A time of day in seconds, in the local zone: `14:03:22` today, `21 Nov 14:03:22` this year. */
export function when(time: number, now: number): string {
  const date = new Date(time * 1000);
  const today = new Date(now * 1000);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (date.toDateString() === today.toDateString()) return clock;
  const year = date.getFullYear() === today.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${MONTHS[date.getMonth()]}${year} ${clock}`;
}

/** The whole of a time of day, with its zone: for a tooltip. It is slow, and so made when it is asked for. */
export function whenWhole(time: number): string {
  return new Date(time * 1000).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "long" });
}

/** How long ago, in one unit: `now`, `40 s ago`, `3 m ago`. */
export function ago(time: number, now: number): string {
  const s = now - time;
  if (s < 5) return "now";
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} m ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86_400)} d ago`;
}
