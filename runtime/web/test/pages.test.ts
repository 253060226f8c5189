import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLog, MOST_ROWS } from "../src/run/events-data";
import { PAGE_ROWS, StepList } from "../src/run/steps-data";
import type { EventRow } from "../src/types";

type Answer = (query: URLSearchParams) => unknown;

/** Answers requests from a function; gives what was asked. */
function server(answer: Answer): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  globalThis.fetch = async (address) => {
    const query = new URL(String(address), "http://page").searchParams;
    asked.push(query);
    await Promise.resolve();
    const said = answer(query);
    return said === null
      ? new Response('{"error":"busy","help":"wait"}', { status: 503 })
      : new Response(JSON.stringify(said));
  };
  return asked;
}

const turns = async () => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
  await new Promise((done) => setImmediate(done));
};

const event = (n: number) => ({ at: n, kind: "log", text: `line ${n}` }) as EventRow;

/** A log of `total` lines, of which a search looks at `look` in one request. */
function lines(total: () => number, hit: (n: number) => boolean, look = 1_000): Answer {
  return (query) => {
    const limit = Number(query.get("limit"));
    const events: EventRow[] = [];
    const after = query.get("after");
    if (after !== null) {
      let n = Number(after);
      for (; n < total() && events.length < limit; n++) if (hit(n)) events.push(event(n));
      return { events, older: null, newer: String(n), looked_at: 1 };
    }
    const from = Number(query.get("before") ?? total());
    let n = from;
    for (; n > 0 && from - n < look && events.length < limit; n--)
      if (hit(n - 1)) events.unshift(event(n - 1));
    return {
      events,
      older: n > 0 ? String(n) : null,
      newer: String(total()),
      looked_at: 1 - n / Math.max(total(), 1),
    };
  };
}

const ALL = { op: null, step: null, level: null, kind: null, q: "" };
const texts = (log: EventLog) => log.rows.value.map((row) => row.at);

test("a search goes on by its cursor until there is a screen of hits", async () => {
  const asked = server(
    lines(
      () => 10_000,
      (n) => n % 100 === 0,
    ),
  );
  const log = new EventLog("r");
  await log.begin({ ...ALL, q: "line" });
  assert.equal(asked.length, 6);
  assert.deepEqual(texts(log).slice(-2), [9_800, 9_900]);
  assert.equal(log.searching.value, null);
  assert.ok(log.hasOlder.value);
});

test("a search that is stopped keeps what it found, and can go on", async () => {
  const log = new EventLog("r");
  let requests = 0;
  const answer = lines(
    () => 5_000,
    (n) => n % 1_000 === 0,
  );
  server((query) => {
    if (++requests === 2) log.stop();
    return answer(query);
  });
  await log.begin({ ...ALL, q: "line" });
  assert.deepEqual(texts(log), [4_000]);
  assert.ok(log.hasOlder.value);
  await log.older();
  assert.deepEqual(texts(log), [0, 1_000, 2_000, 3_000, 4_000]);
  assert.ok(!log.hasOlder.value);
});

test("older lines join on, and the newer end is let go when there are too many", async () => {
  server(
    lines(
      () => 5_000,
      () => true,
    ),
  );
  const log = new EventLog("r");
  await log.begin(ALL);
  while (!log.cutNewer.value) await log.older();
  const all = texts(log);
  assert.equal(all.length, MOST_ROWS);
  assert.ok(all.every((at, i) => i === 0 || at === (all[i - 1] as number) + 1));
  assert.equal(await log.newer(true), 0);
});

test("new lines join on; more than can be read begin anew at the newest", async () => {
  let total = 150;
  server(
    lines(
      () => total,
      () => true,
    ),
  );
  const log = new EventLog("r");
  await log.begin(ALL);
  total = 160;
  assert.equal(await log.newer(true), 10);
  assert.deepEqual([texts(log)[0], texts(log).at(-1)], [50, 159]);
  total = 100_000;
  await log.newer(true);
  assert.deepEqual([texts(log).length, texts(log).at(-1)], [100, 99_999]);
  assert.ok(log.hasOlder.value);
});

test("lines that were read stay when a request fails", async () => {
  let fails = false;
  const answer = lines(
    () => 10,
    () => true,
  );
  server((query) => (fails ? null : answer(query)));
  const log = new EventLog("r");
  await log.begin(ALL);
  fails = true;
  await log.begin({ ...ALL, q: "x" });
  assert.equal(texts(log).length, 10);
  assert.equal(log.failure.value?.error.message, "busy");
});

const steps = (total: number) => (query: URLSearchParams) => {
  const after = Number(query.get("after"));
  const n = Math.min(PAGE_ROWS, total - after);
  return {
    total,
    after,
    seq: 1,
    steps: Array.from({ length: n }, (_, i) => ({ step: `${query.get("state")} ${after + i}` })),
  };
};

test("rows of another filter stay, marked, until the first answer", async () => {
  server(steps(1_000));
  const list = new StepList("r");
  list.filter({ op: null, state: null, q: "", sort: null });
  list.need(0, 20);
  await turns();
  assert.equal(list.row(3)?.step, "null 3");
  list.filter({ op: null, state: "failed", q: "", sort: null });
  assert.ok(list.old.value);
  assert.equal(list.row(3)?.step, "null 3");
  list.need(0, 20);
  await turns();
  assert.ok(!list.old.value);
  assert.equal(list.row(3)?.step, "failed 3");
});

test("only pages that are seen are asked for, and each once", async () => {
  const asked = server(steps(1_000_000));
  const list = new StepList("r");
  list.filter({ op: null, state: null, q: "", sort: null });
  list.need(0, 20);
  await turns();
  list.need(0, 20);
  list.need(150_190, 150_210);
  await turns();
  assert.deepEqual(
    asked.map((query) => query.get("after")),
    ["0", "150000", "150200"],
  );
  assert.equal(list.row(150_205)?.step, "null 150205");
});
