// A run that goes on, seen by another process through the store: how far behind the page is, that it stays
// small, that its clocks stop when the server is gone, and that a death is told.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { artefacts, cli, nothingBad, open, printed, serve, spread, start, store } from "./support.mjs";

/** The id of the newest run of a store, as soon as there is one. */
async function newest(address) {
  for (;;) {
    const { stdout } = cli("runs", "--json", "--limit", "1", "--store", address);
    const runs = stdout ? JSON.parse(stdout).runs : [];
    if (runs.length > 0) return runs[0].run;
  }
}

test("20 000 steps a second are seen as they happen", async () => {
  const live = store("ticking", ["wide", "--count", "1"]);
  const served = await serve(live.address);
  const run = start("run", "ticking", "--rate", "10000", "--seconds", "12", "--store", live.address, "--progress", "none", "--tag", "live=yes");
  const page = await open(served);
  let id;
  do id = await newest(live.address);
  while (id === live.ids[0]);
  await page.goto(`${served.origin}/runs/${id}?view=timeline`);
  // Each message tells of what happened since the one before it: the oldest of that waited longest. The
  // run's elapsed time is that of its last recorded event.
  const behind = await page.evaluate(async (id) => {
    const detail = await (await fetch(`/api/v1/runs/${id}`)).json();
    return await new Promise((done) => {
      const told = [];
      let before;
      const stream = new EventSource(`/api/v1/runs/${id}/live`);
      stream.addEventListener("state", (message) => {
        const state = JSON.parse(message.data);
        const now = Date.now() / 1000 - detail.run.started;
        const steps = state.steps.succeeded;
        if (before) {
          const [newest, oldest] = [now - state.elapsed, now - before.elapsed];
          told.push({ newest: newest * 1000, oldest: oldest * 1000, steps: steps - before.steps, bytes: message.data.length });
        }
        before = { elapsed: state.elapsed, steps };
        if (told.length >= 30) {
          stream.close();
          done(told);
        }
      });
    });
  }, id);
  const [young, old] = ["newest", "oldest"].map((of) => spread(behind.map((one) => one[of])));
  const rate = behind.reduce((sum, one) => sum + one.steps, 0) / behind.length;
  console.log(`${rate.toFixed(0)} steps a message; the newest of them ended ${young.median.toFixed(0)} ms before (p95 ${young.p95.toFixed(0)}), the oldest ${old.median.toFixed(0)} ms (p95 ${old.p95.toFixed(0)})`);
  for (const { bytes } of behind) assert.ok(bytes <= 8_192, `a message has ${bytes} bytes`);
  await page.screenshot({ path: join(artefacts, "live.png") });
  const memory = await page.evaluate(() => performance.memory.usedJSHeapSize);
  await new Promise((ended) => run.on("exit", ended));
  await page.getByText("succeeded", { exact: false }).first().waitFor();
  const after = await page.evaluate(() => (window.gc?.(), performance.memory.usedJSHeapSize));
  const long = await page.evaluate(() => window.longTasks);
  console.log(`live: ${(memory / 2 ** 20).toFixed(1)} MiB, then ${(after / 2 ** 20).toFixed(1)} MiB; tasks over 50 ms:`, long);
  nothingBad(assert, page);
  await page.context().close();
});

test("a run whose process is killed is told as interrupted", async () => {
  const live = store("killed", ["wide", "--count", "1"]);
  const served = await serve(live.address);
  const run = start("run", "lasting", "--millis", "60000", "--store", live.address, "--progress", "lines");
  let id;
  do id = await newest(live.address);
  while (id === live.ids[0]);
  const page = await open(served, `/runs/${id}`);
  await page.getByText("running").first().waitFor();
  run.kill("SIGKILL");
  await page.getByText("interrupted").first().waitFor();
  nothingBad(assert, page);
  await page.context().close();
});

test("when the server is gone the page says so, keeps what it has and stops its clocks", async () => {
  const live = store("gone", ["wide", "--count", "1"]);
  const served = await serve(live.address);
  start("run", "lasting", "--millis", "60000", "--store", live.address, "--progress", "lines");
  let id;
  do id = await newest(live.address);
  while (id === live.ids[0]);
  const page = await open(served, `/runs/${id}`);
  await page.getByText("running").first().waitFor();
  served.child.kill("SIGKILL");
  await page.getByText(/not connected since/i).first().waitFor();
  const header = page.locator("header, main").first();
  const first = await header.innerText();
  await page.waitForFunction(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))));
  assert.equal(await header.innerText(), first);
  assert.ok((await page.locator("body").innerText()).includes("slow"));
  await page.context().close();
});

test("a run that is pruned while it is looked at is told to be gone", async () => {
  const live = store("pruned", ["mixed"]);
  const served = await serve(live.address);
  const page = await open(served, `/runs/${live.ids[0]}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  cli("prune", "--keep", "0", "--store", live.address);
  await page.getByText(/pruned|no run|gone/i).first().waitFor();
  assert.ok((await page.locator("body").innerText()).includes("mixed"));
  await page.context().close();
});
