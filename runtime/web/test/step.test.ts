import assert from "node:assert/strict";
import { test } from "node:test";
import { asRust, asTest, inLine, type Json, readJson, rustText } from "../src/run/step-json";

const read = (text: string) => readJson(text) as Json;

test("numbers keep digits that a float would lose", () => {
  const value = read('{"id": 18446744073709551615, "x": 1.50}');
  assert.equal(inLine(value, 100), "{id: 18446744073709551615, x: 1.50}");
});

test("every cut of a value is read as far as it goes, and never fails", () => {
  const text = '{"a": [1, {"b\\u00e9": "x\\n\\"y\\" \\u2713"}, null, true, -2.5e-3], "c": {}}';
  assert.equal(read(text).whole, true);
  for (let end = 1; end < text.length; end++) {
    const value = readJson(text.slice(0, end));
    assert.ok(value, text.slice(0, end));
    assert.equal(value.whole, false, text.slice(0, end));
  }
});

test("what is not JSON is not taken for it", () => {
  for (const text of ["", "hello there", "{a: 1}", "[1] 2", '{"a" 1}', "[}"])
    assert.equal(readJson(text), null, text);
});

test("deep nesting ends rather than overflows", () => {
  assert.equal(readJson("[".repeat(100_000)), null);
});

test("a value is written as Rust that compiles", () => {
  assert.equal(asRust(read('"a\\"b\\u0007\\n"')), '"a\\"b\\u{7}\\n"');
  assert.equal(asRust(read("12")), "12");
  assert.equal(
    asRust(read('{"n": 12345678901, "m": -12345678901}')),
    'serde_json::json!({"n": 12345678901_u64, "m": -12345678901_i64})',
  );
});

test("a string of any characters is one literal", () => {
  assert.equal(rustText("\u202e\\ ä ✓ \r"), '"\\u{202e}\\\\ ä ✓ \\r"');
});

test("a step becomes a test of its op", () => {
  const text = asTest("clean", "clean[a/b.jpg]", [
    { from: "load", value: read('{"a": 1}') },
    { from: "argument n", value: read("3") },
    { from: "fan-out", value: null },
  ]);
  assert.match(text, /fn clean_a_b_jpg\(\)/);
  assert.match(text, /clean::call\(input_1, input_2, input_3\)/);
  assert.match(text, /todo!\(\)/);
});
