// Scripts in keys, values, logs, errors and metadata are text: no dialog opens, nothing is loaded.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cli, nothingBad, open, serve, settled, store } from "./support.mjs";

const hostile = store("hostile", ["hostility"]);
const served = await serve(hostile.address);
const [run] = hostile.ids;
const steps = JSON.parse(cli("show", run, "--steps", "--limit", "100", "--json", "--store", hostile.address).stdout).steps;

test("the hostile run has the steps that the next tests look at", () => {
  assert.ok(steps.length >= 10, JSON.stringify(steps));
});

for (const view of ["", "?view=timeline", "?view=graph", "?view=steps", "?view=events"]) {
  test(`the run, ${view}`, async () => {
    const page = await open(served, `/runs/${run}${view}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await settled(page);
    assert.equal(await page.locator("main img, main script, main iframe, main [onerror], main [onload]").count(), 0);
    nothingBad(assert, page);
    await page.context().close();
  });
}

test("every step's panel, with and without scripts", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open(served, "/", { javaScriptEnabled });
    for (const { step } of steps) {
      await page.goto(`${served.origin}/runs/${run}/steps/${encodeURIComponent(step)}`);
      await settled(page);
      assert.equal(await page.locator("#page img, #page script, #page iframe").count(), 0, step);
      for (const link of await page.locator("a[href]").evaluateAll((links) => links.map((link) => link.protocol))) {
        assert.ok(["http:", "https:"].includes(link), `${link} in the panel of ${step}`);
      }
    }
    nothingBad(assert, page);
    await page.context().close();
  }
});

test("the job, its form and its list", async () => {
  const page = await open(served);
  for (const path of ["/", "/jobs", "/jobs/hostility", "/jobs/hostility/launch", `/jobs/hostility/launch?from=${run}`]) {
    await page.goto(served.origin + path);
    await settled(page);
    assert.equal(await page.locator("#page img, #page script, #page iframe").count(), 0, path);
  }
  nothingBad(assert, page);
  await page.context().close();
});

test("an address that is a script finds nothing, in words", async () => {
  const page = await open(served);
  for (const path of ["/runs/%3Cscript%3Ealert(1)%3C%2Fscript%3E", `/runs/${run}?q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&view=steps`, `/runs/${run}?sort=nonsense&view=steps`, `/runs/${run}?from=nonsense&to=-1&view=timeline`, "/nowhere"]) {
    await page.goto(served.origin + path);
    await settled(page);
    assert.ok((await page.locator("body").innerText()).trim().length > 20, path);
  }
  nothingBad(assert, page);
  await page.context().close();
});
