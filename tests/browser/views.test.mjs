// Every view, in both themes and both widths: nothing foreign, nothing inaccessible, nothing broken; and
// the same in words where scripts do not run.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { artefacts, axe, nothingBad, open, serve, settled, store } from "./support.mjs";

const small = store("small", ["mixed"], ["mixed", "--count", "3", "--each", "2"], ["lasting", "--count", "4", "--millis", "20"]);
const served = await serve(small.address);
const [failed] = small.ids;
const panel = `/runs/${failed}?step=${encodeURIComponent("read[city-00][s3]")}`;

const views = {
  runs: "/",
  jobs: "/jobs",
  job: "/jobs/mixed",
  launch: "/jobs/mixed/launch",
  timeline: `/runs/${failed}?view=timeline`,
  graph: `/runs/${failed}?view=graph`,
  steps: `/runs/${failed}?view=steps`,
  failed_steps: `/runs/${failed}?view=steps&op=read&state=failed`,
  events: `/runs/${failed}?view=events`,
  panel,
};
const sizes = { wide: { width: 1280, height: 720 }, phone: { width: 390, height: 844 } };

for (const [name, path] of Object.entries(views)) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [size, viewport] of Object.entries(sizes)) {
      test(`${name}, ${colorScheme}, ${size}`, async () => {
        const page = await open(served, path, { colorScheme, viewport });
        await page.getByRole("heading", { level: 1 }).waitFor();
        await settled(page);
        await page.screenshot({ path: join(artefacts, `${name}-${colorScheme}-${size}.png`) });
        assert.deepEqual(await axe(page), []);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(over <= 0, `the page is ${over} px wider than its window`);
        nothingBad(assert, page);
        await page.context().close();
      });
    }
  }
}

test("an empty store teaches what to do", async () => {
  const empty = store("empty");
  const page = await open(await serve(empty.address));
  await page.getByText("No runs yet").waitFor();
  await page.screenshot({ path: join(artefacts, "empty.png") });
  assert.deepEqual(await axe(page), []);
  nothingBad(assert, page);
  await page.context().close();
});

test("runs, ops, failures and logs can be read without scripts", async () => {
  const page = await open(served, `/runs/${failed}`, { javaScriptEnabled: false });
  const text = await page.locator("body").innerText();
  for (const word of ["mixed", "failed", "read", "convert", "did not answer", "read[city-00][s3]"]) {
    assert.ok(text.includes(word), `${word} is missing`);
  }
  await page.goto(served.origin);
  assert.ok((await page.locator("body").innerText()).includes("lasting"));
  await page.context().close();
});

test("the first screen is small, and few requests", async () => {
  const page = await open(served);
  // All of the page before has come, and what is cached counts too.
  await settled(page);
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Network.enable");
  await protocol.send("Network.setCacheDisabled", { cacheDisabled: true });
  const first = [];
  page.on("response", (response) => first.push(response));
  await page.goto(`${served.origin}${views.timeline}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await settled(page);
  const whole = first.filter((answer) => answer.ok() && !answer.url().includes("/live"));
  // What the page before had asked for has no body any more.
  const length = (answer) => answer.body().then((body) => body.length, () => 0);
  const sizes = await Promise.all(whole.map(async (answer) => [answer.url().slice(served.origin.length), await length(answer)]));
  console.log("first screen:", Object.fromEntries(sizes));
  const drawn = sizes.filter(([path]) => /\.(js|css)$/.test(path));
  // What hands do, the other views, the dialogs and the forms come in a script and a sheet of their own, after
  // the head, the failures, the ops and the timeline are drawn.
  const [later, at_once] = [drawn.filter(([path]) => path.startsWith("/more.")), drawn.filter(([path]) => !path.startsWith("/more."))];
  const sum = (files) => files.reduce((sum, [, size]) => sum + size, 0);
  assert.ok(at_once.length === 2 && sum(at_once) <= 100_000, at_once.join());
  assert.ok(later.length <= 2 && sum(later) <= 110_000, later.join());
  await page.context().close();
});

test("a run and its timeline are drawn by the first script alone", async () => {
  const page = await open(served);
  // It is asked for, and does not come.
  await page.route("**/more.js", () => {});
  await page.goto(`${served.origin}${views.timeline}`, { waitUntil: "commit" });
  const lanes = page.locator("canvas").last();
  await lanes.waitFor();
  const drawn = () => lanes.evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((byte) => byte > 0);
  });
  while (!(await drawn())) await page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
  for (const region of ["Failures", "Ops", "Timeline"]) await page.getByRole("region", { name: region }).waitFor();
  nothingBad(assert, page);
  await page.context().close();
});
