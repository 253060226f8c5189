import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { open } from "../src/live";

class FakeSource extends EventTarget {
  static all: FakeSource[] = [];
  static readonly CLOSED = 2;
  readyState = 1;
  constructor(readonly url: string) {
    super();
    FakeSource.all.push(this);
  }
  close() {
    this.readyState = 2;
  }
  say(name: string, data: unknown = {}) {
    this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
  }
}

const page = Object.assign(new EventTarget(), { hidden: false });
const last = () => FakeSource.all.at(-1) as FakeSource;
const openOnes = () => FakeSource.all.filter((source) => source.readyState === 1).length;
const show = (shown: boolean) => {
  page.hidden = !shown;
  page.dispatchEvent(new Event("visibilitychange"));
};

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_000_000 });
  FakeSource.all = [];
  page.hidden = false;
  Object.assign(globalThis, { EventSource: FakeSource, document: page });
});

afterEach(() => mock.timers.reset());

function listen() {
  const heard: unknown[] = [];
  let seq = 0;
  const stream = open({
    address: () => `/live?after=${seq}`,
    on: {
      state: (data) => {
        heard.push(data);
        seq += 1;
      },
      end: () => heard.push("end"),
    },
    last: ["end"],
  });
  return { stream, heard };
}

test("what is told is heard, and silence of five seconds is told with when it began", () => {
  const { stream, heard } = listen();
  last().say("state", { seq: 1 });
  assert.deepEqual(heard, [{ seq: 1 }]);
  mock.timers.tick(4_000);
  assert.equal(stream.lost.value, null);
  mock.timers.tick(1_000);
  assert.equal(stream.lost.value, 1_000_000);
  last().say("ping");
  assert.equal(stream.lost.value, null);
  stream.close();
});

test("a stream that stays silent is opened anew, from what was heard last", () => {
  const { stream } = listen();
  last().say("state", { seq: 1 });
  mock.timers.tick(11_000);
  assert.equal(FakeSource.all.length, 2);
  assert.equal(last().url, "/live?after=1");
  assert.equal(openOnes(), 1);
  stream.close();
});

test("a page that is hidden listens to nothing, and is not told that it lost the stream", () => {
  const { stream } = listen();
  show(false);
  assert.equal(openOnes(), 0);
  mock.timers.tick(60_000);
  assert.equal(stream.lost.value, null);
  show(true);
  assert.equal(openOnes(), 1);
  stream.close();
});

test("after the last event nothing is listened to any more", () => {
  const { stream, heard } = listen();
  last().say("end");
  assert.deepEqual(heard, ["end"]);
  assert.equal(openOnes(), 0);
  show(false);
  show(true);
  mock.timers.tick(60_000);
  assert.equal(openOnes(), 0);
  assert.equal(stream.lost.value, null);
});
