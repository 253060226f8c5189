// Launch, resume, rerun and cancel by the buttons; and that closing the page ends no run.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cli, nothingBad, open, serve, store } from "./support.mjs";

const acted = store("acted", ["mixed"]);
const served = await serve(acted.address);
const [failed] = acted.ids;

/** The run as `show --json` has it. */
const show = (run) => JSON.parse(cli("show", run, "--json", "--store", acted.address).stdout);

test("a job is launched from its form, with the command line shown", async () => {
  const page = await open(served, "/jobs/mixed/launch");
  await page.getByLabel(/^count/).fill("2");
  await page.getByLabel(/^each/).fill("3");
  await page.getByText(/run mixed.*--count 2.*--each 3/).first().waitFor();
  await page.getByRole("button", { name: /launch/i }).click();
  await page.waitForURL(/\/runs\/[0-9a-z]+/);
  await page.getByText("succeeded").first().waitFor();
  nothingBad(assert, page);
  await page.context().close();
});

test("what an argument cannot be is said at its field", async () => {
  const page = await open(served, "/jobs/mixed/launch?count=-1");
  await page.getByRole("button", { name: /launch/i }).click();
  await page.getByText(/count/i).first().waitFor();
  assert.ok(page.url().includes("/launch"));
  await page.context().close();
});

test("a rerun says how many steps would run, and runs so many", async () => {
  const page = await open(served, `/runs/${failed}`);
  await page.getByRole("button", { name: /rerun/i }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/\d+ steps? would run/).waitFor();
  const said = Number((await dialog.innerText()).match(/(\d+) steps? would run/)[1]);
  await dialog.getByRole("button", { name: /^rerun|^run/i }).last().click();
  await page.waitForURL((url) => !url.pathname.includes(failed) && url.pathname.startsWith("/runs/"));
  await page.getByText("failed").first().waitFor();
  assert.ok(said > 0);
  nothingBad(assert, page);
  await page.context().close();
});

test("a run that was launched goes on when the page is closed, and is cancelled from another", async () => {
  const other = await serve(acted.address);
  const page = await open(other, "/jobs/lasting/launch?millis=60000");
  await page.getByRole("button", { name: /launch/i }).click();
  await page.waitForURL(/\/runs\/[0-9a-z]+/);
  const id = new URL(page.url()).pathname.split("/")[2];
  await page.getByText("running").first().waitFor();
  await page.context().close();
  other.child.kill("SIGKILL");
  const again = await open(served, `/runs/${id}`);
  await again.getByText("running").first().waitFor();
  await again.getByRole("button", { name: /cancel/i }).first().click();
  await again.getByRole("dialog").getByRole("button", { name: /cancel/i }).last().click();
  await again.getByText("cancelled").first().waitFor();
  assert.equal(show(id).state, "cancelled");
  // And it goes on where it was.
  await again.getByRole("button", { name: /resume/i }).first().click();
  await again.getByRole("dialog").getByText(/\d+ steps?/).first().waitFor();
  nothingBad(assert, again);
  await again.context().close();
});

test("a page that may only read has no buttons that act", async () => {
  const reader = await serve(acted.address, "--read-only");
  const page = await open(reader, `/runs/${failed}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await page.getByRole("button", { name: /^(resume|rerun|cancel)/i }).count(), 0);
  await page.context().close();
});
