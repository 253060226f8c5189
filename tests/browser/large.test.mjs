// Runs of 100 000 and of 1 000 000 steps: what the page fetches stays bounded, and how long things take is
// printed (an absolute limit would only test the machine).

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { artefacts, nothingBad, open, serve, settled, spread, store } from "./support.mjs";

/** No answer is larger, whatever the size of the run. */
const LARGEST = 256 * 1024;

for (const items of [50_000, 500_000]) {
  const large = store(`wide-${items}`, ["wide", "--count", String(items)]);
  const served = await serve(large.address);
  const [run] = large.ids;
  const steps = 2 * items;

  test(`${steps} steps: cold until the first row can be clicked`, async () => {
    const page = await open(served, "/", {});
    const begun = Date.now();
    await page.goto(`${served.origin}/runs/${run}?view=steps`);
    await page.locator("tbody tr[aria-rowindex]").first().waitFor();
    console.log(`${steps} steps: interactive after ${Date.now() - begun} ms`);
    await page.screenshot({ path: join(artefacts, `wide-${steps}-steps.png`) });
    await page.goto(`${served.origin}/runs/${run}?view=timeline`);
    await page.locator("canvas").first().waitFor();
    await settled(page);
    await page.screenshot({ path: join(artefacts, `wide-${steps}-timeline.png`) });
    nothingBad(assert, page);
    await page.context().close();
  });

  test(`${steps} steps: load, zoom, scroll, filter`, async () => {
    const page = await open(served);
    const sizes = [];
    page.on("response", async (response) => {
      const body = await response.body().catch(() => Buffer.alloc(0));
      sizes.push({ path: new URL(response.url()).pathname, bytes: body.length });
    });
    await page.goto(`${served.origin}/runs/${run}?view=timeline`);
    const canvas = page.locator("canvas").last();
    await canvas.waitFor();
    await settled(page);
    await canvas.hover();
    await page.keyboard.down("Control");
    for (let turn = 0; turn < 15; turn += 1) await page.mouse.wheel(0, -240);
    await page.keyboard.up("Control");
    await settled(page);
    await page.screenshot({ path: join(artefacts, `wide-${steps}-zoomed.png`) });
    await page.goto(`${served.origin}/runs/${run}?view=steps`);
    const row = page.locator("tbody tr[aria-rowindex]").first();
    await row.waitFor();
    await row.hover();
    for (let turn = 0; turn < 20; turn += 1) await page.mouse.wheel(0, 4_000);
    await page.getByRole("searchbox").first().fill("4999");
    await page.waitForTimeout(0);
    await settled(page);
    await row.waitFor();
    const long = await page.evaluate(() => window.longTasks);
    console.log(`${steps} steps: tasks over 50 ms:`, long);
    for (const { path, bytes } of sizes) assert.ok(bytes <= LARGEST, `${path} answered with ${bytes} bytes`);
    nothingBad(assert, page);
    await page.context().close();
  });

  test(`${steps} steps: every answer, once the run is open`, async () => {
    const page = await open(served, `/runs/${run}`);
    const api = `/api/v1/runs/${run}`;
    const asked = {
      run: api,
      first: `${api}/steps?limit=200`,
      middle: `${api}/steps?limit=200&after=${items}`,
      last: `${api}/steps?limit=200&after=${steps - 200}`,
      slowest: `${api}/steps?limit=200&sort=-duration`,
      prefix: `${api}/steps?limit=200&q=4999`,
      absent: `${api}/steps?limit=200&q=nowhere`,
      state: `${api}/steps?limit=200&state=failed`,
      op: `${api}/steps?limit=200&op=length`,
      whole: `${api}/timeline?px=1400`,
      window: `${api}/timeline?px=1400&from=0.1&to=0.11`,
      step: `${api}/steps/${encodeURIComponent(`label[${items - 7}]`)}`,
      value: `${api}/steps/${encodeURIComponent(`label[${items - 7}]`)}/value/result`,
      events: `${api}/events?limit=200`,
      search: `${api}/events?limit=200&q=nowhere`,
      graph: `${api}/graph`,
      runs: "/api/v1/runs",
    };
    const all = [];
    for (const [name, address] of Object.entries(asked)) {
      const times = await page.evaluate(async (address) => {
        const times = [];
        let bytes = 0;
        let status = 0;
        for (let turn = 0; turn < 12; turn += 1) {
          const begun = performance.now();
          const answer = await fetch(address, { cache: "no-store" });
          bytes = (await answer.arrayBuffer()).byteLength;
          status = answer.status;
          if (turn > 0) times.push(performance.now() - begun);
        }
        return { times, bytes, status };
      }, address);
      assert.ok(times.bytes <= LARGEST, `${name} has ${times.bytes} bytes`);
      if (name !== "value") assert.equal(times.status, 200, `${address}`);
      all.push(...times.times);
      const { median, worst } = spread(times.times);
      console.log(`${steps} steps: ${name}: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms, ${times.bytes} bytes`);
    }
    console.log(`${steps} steps: p95 of all answers ${spread(all).p95.toFixed(1)} ms`);
    await page.context().close();
  });
}
