import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine, fieldOf, fieldsOf, problem, quoted, request } from "../src/launch/form";

const SCHEMA = {
  required: ["day", "token"],
  properties: {
    day: { type: "string", description: "The day." },
    limit: { type: ["integer", "null"] },
    keep: { type: "boolean", default: true },
    mode: { enum: ["fast", "exact"], default: "fast" },
    max_size: { type: "integer", minimum: 0, maximum: 255, default: 3 },
    names: { type: "array", items: { type: "string" }, default: [] },
    sizes: { type: "array", items: { type: "integer" } },
    token: { type: "string", writeOnly: true },
  },
};
const FIELDS = fieldsOf(SCHEMA, Object.keys(SCHEMA.properties));

test("only what differs from the defaults is asked for", () => {
  assert.deepEqual(request(FIELDS, { day: "2026", keep: "true", mode: "fast", max_size: "3" }), {
    args: { day: "2026" },
    secrets: {},
  });
});

test("each kind of field gives its kind of value, and secrets go their own way", () => {
  const texts = {
    day: "a b",
    limit: "12",
    keep: "false",
    mode: "exact",
    names: "x\n\n y ",
    sizes: "1\n2",
    token: "s3",
  };
  assert.deepEqual(request(FIELDS, texts), {
    args: { day: "a b", limit: 12, keep: false, mode: "exact", names: ["x", "y"], sizes: [1, 2] },
    secrets: { token: "s3" },
  });
});

test("a whole number that this browser cannot hold stays as it was typed", () => {
  assert.equal(request(FIELDS, { limit: "18446744073709551615" }).args.limit, "18446744073709551615");
});

test("the command line says the same, in quotes where a shell needs them", () => {
  const { args } = request(FIELDS, { day: "it's", keep: "false", names: "x\n-y", max_size: "4" });
  assert.equal(
    commandLine(
      "app run etl",
      FIELDS,
      args,
      { max_concurrent: 2, fail_fast: true, pools: { api: "3" } },
      { team: "red" },
    ),
    "FANFOLD_ARG_TOKEN=… app run etl --day 'it'\\''s' --keep=false --max-size 4 --names x --names=-y " +
      "--max-concurrent 2 --fail-fast --pool api=3 --tag team=red",
  );
  assert.equal(quoted(""), "''");
});

test("what is missing or no number is told before the server is asked", () => {
  const [day, limit] = FIELDS as [(typeof FIELDS)[0], (typeof FIELDS)[0]];
  assert.equal(problem(day, ""), "a value is needed");
  assert.equal(problem(day, "x"), null);
  assert.equal(problem(limit, ""), null);
  assert.equal(problem(limit, "1.5"), "a whole number is needed");
});

test("an error of the server's finds its field", () => {
  assert.equal(fieldOf(FIELDS, "argument `day`: `x` is no date"), "day");
  assert.equal(fieldOf(FIELDS, "`--max-size` is too large"), "max_size");
  assert.equal(fieldOf(FIELDS, "the store is full"), null);
});
