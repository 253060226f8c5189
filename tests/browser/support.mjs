// What every browser test needs: stores of a known size, the real page beside them, a real browser, and
// an eye on what a page must never do.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);

/** The program whose jobs are looked at. */
export const program = process.env.FANFOLD_PAGE_JOBS ?? fail("FANFOLD_PAGE_JOBS names the program `page_jobs`");

/** Where screenshots are left. */
export const artefacts = process.env.FANFOLD_ARTEFACTS ?? join(import.meta.dirname, "artefacts");
mkdirSync(artefacts, { recursive: true });

const work = mkdtempSync(join(tmpdir(), "fanfold-browser-"));
const cleanUps = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  rmSync(work, { recursive: true, force: true });
});

function fail(why) {
  throw new Error(why);
}

/** The address of a new store in which the given command lines were run, and the ids of the runs. */
export function store(name, ...runs) {
  const address = `sqlite:${join(work, `${name}.db`)}`;
  const ids = runs.map((words) => run(address, ...words));
  return { address, ids };
}

/** Runs a job to its end and gives its id. */
export function run(address, job, ...flags) {
  const done = cli("run", job, "--store", address, "--json", ...flags);
  const first = JSON.parse(done.stdout.split("\n")[0] || fail(`${job} did not begin: ${done.stderr}`));
  return first.run;
}

/** Runs a command of the program to its end. */
export function cli(...words) {
  const options = { encoding: "utf8", maxBuffer: 1 << 30, cwd: work, env: { ...process.env, FANFOLD_LOG: "error" } };
  return spawnSync(program, words, options);
}

/** Starts a command of the program, which is killed at the end of the tests if it still runs. */
export function start(...words) {
  const options = { cwd: work, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, FANFOLD_LOG: "error" } };
  const child = spawn(program, words, options);
  cleanUps.push(() => child.kill("SIGKILL"));
  return child;
}

/** Serves the page of a store; gives its address with the secret, and its process. */
export async function serve(address, ...flags) {
  const child = start("ui", "--port", "0", "--store", address, ...flags);
  const url = await printed(child, /http:\/\/\S+/);
  return { url, origin: new URL(url).origin, child };
}

/** Waits until a process has printed something that fits. */
export function printed(child, pattern) {
  return new Promise((found, lost) => {
    let text = "";
    const hear = (chunk) => {
      text += chunk;
      const match = text.match(pattern);
      if (match) found(match[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => lost(new Error(`it ended with ${code} and said: ${text}`)));
  });
}

let browser;

/** The one browser of a file of tests. */
async function theBrowser() {
  if (!browser) {
    const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--enable-precise-memory-info"];
    args.push("--disable-background-networking", "--disable-component-update", "--disable-sync", "--js-flags=--expose-gc");
    browser = await chromium.launch({ executablePath, args });
    cleanUps.push(() => browser.close());
  }
  return browser;
}

/**
 * A page that was opened by the printed address, under watch: `page.seen` lists what must stay empty
 * (requests to other hosts, dialogs, errors) and tasks of more than 50 ms.
 */
export async function open(served, path = "/", options = {}) {
  const context = await (await theBrowser()).newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const page = await context.newPage();
  page.seen = { foreign: [], dialogs: [], errors: [] };
  page.hasScripts = options.javaScriptEnabled !== false;
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(served.origin) && !address.startsWith("about:")) page.seen.foreign.push(address);
  });
  page.waiting = new Set();
  page.on("request", (request) => {
    if (!request.url().includes("/live")) page.waiting.add(request);
  });
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => page.waiting.delete(request));
  page.on("dialog", (dialog) => {
    page.seen.dialogs.push(dialog.message());
    dialog.dismiss();
  });
  page.on("pageerror", (error) => page.seen.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (404|400|409|503)/.test(message.text())) page.seen.errors.push(message.text());
  });
  await page.addInitScript(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.longTasks.push({ start: task.startTime, took: task.duration });
    }).observe({ type: "longtask", buffered: true });
  });
  if (options.javaScriptEnabled === false || !options.cold) {
    // The secret becomes a cookie; then the address that is asked for.
    await page.goto(served.url);
    if (path !== "/") await page.goto(served.origin + path);
  }
  return page;
}

/** Waits until nothing but streams is being fetched, and two frames more were drawn. */
export async function settled(page) {
  // Without scripts there are no callbacks of frames, and nothing is fetched after the page has loaded.
  if (!page.hasScripts) return page.waitForLoadState("load");
  const frame = () => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  let quiet = 0;
  while (quiet < 5) {
    await frame();
    quiet = page.waiting.size === 0 ? quiet + 1 : 0;
  }
}

/** What a page must never have done. */
export function nothingBad(assert, page) {
  assert.deepEqual(page.seen, { foreign: [], dialogs: [], errors: [] });
}

/** Faults of accessibility, as axe finds them. */
export async function axe(page) {
  // The page's own rules forbid foreign scripts: this one is put in by the browser.
  await page.evaluate(require("axe-core").source);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
}

/** The median, and the value that 95 of 100 do not exceed. */
export function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { median: at(0.5), p95: at(0.95), worst: sorted.at(-1) };
}
