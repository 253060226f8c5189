import assert from "node:assert/strict";
import { test } from "node:test";
import { areaOf, lastTop, MAPPED_PX, Pages, ROW_PX, reveal, scrollAt, seen, topAt } from "../src/virtual.ts";

test("few rows lie in pixels", () => {
  const area = areaOf(1000, 280);
  assert.equal(area.height, 28_000);
  assert.equal(topAt(area, 56), 2);
  assert.equal(scrollAt(area, 2), 56);
  assert.deepEqual(seen(area, 2), { first: 2, end: 13 });
});

test("a million rows keep below what browsers clip, and every row can be reached", () => {
  const area = areaOf(1_000_000, 560);
  assert.equal(area.height, MAPPED_PX);
  assert.equal(topAt(area, 0), 0);
  const bottom = area.height - area.view;
  assert.equal(topAt(area, bottom), lastTop(area));
  assert.equal(seen(area, lastTop(area)).end, 1_000_000);
  for (const top of [0, 1, 17, 499_999, 999_980])
    assert.ok(Math.abs(topAt(area, scrollAt(area, top)) - top) < 1e-6, `top ${top}`);
});

test("fewer rows than the screen holds do not scroll", () => {
  const area = areaOf(3, 560);
  assert.equal(lastTop(area), 0);
  assert.deepEqual(seen(area, 0), { first: 0, end: 3 });
});

test("a row is revealed by the least move", () => {
  const area = areaOf(100, 10 * ROW_PX);
  assert.equal(reveal(area, 20, 25), 20);
  assert.equal(reveal(area, 20, 10), 10);
  assert.equal(reveal(area, 20, 30), 21);
});

test("four pages are kept, the nearest", () => {
  const pages = new Pages<number>(200, 4);
  for (const page of [0, 1, 2, 3, 4]) pages.put(page, [page]);
  assert.ok(!pages.has(0));
  assert.ok(pages.has(1));
  pages.put(100, [100]);
  assert.equal(pages.get(20_000), 100);
  assert.deepEqual(pages.needed(390, 410), [1, 2]);
  assert.deepEqual(pages.needed(0, 0), []);
});
