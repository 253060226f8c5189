// A form from the JSON Schema of a job's arguments, and the command line that says the same: pure.
import type { Limits } from "../types";

/** A field is text as it is typed; a list has one item a line, and a choice of yes and no is `true` or `false`. */
export interface Field {
  name: string;
  says: string;
  kind: "text" | "secret" | "whole" | "number" | "flag" | "choice" | "list";
  /** What may be chosen. */
  choices: string[];
  /** What is taken where nothing is said, as text; `null` if nothing is. */
  preset: string | null;
  required: boolean;
  /** What a value looks like. */
  hint: string;
  /** Of a list: what its items are. */
  items: Field["kind"];
}

interface Property {
  type?: string | string[];
  enum?: unknown[];
  items?: Property;
  description?: string;
  default?: unknown;
  format?: string;
  examples?: unknown[];
  writeOnly?: boolean;
  minimum?: number;
  maximum?: number;
}

/** The fields of a schema, in the order of the function. */
export function fieldsOf(schema: unknown, order: string[]): Field[] {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, Property>;
    required?: string[];
  };
  return order.map((name) => field(name, properties[name] ?? {}, required.includes(name)));
}

function field(name: string, property: Property, required: boolean): Field {
  const kind = property.writeOnly ? "secret" : kindOf(property);
  const choices = property.enum ?? property.items?.enum ?? [];
  return {
    name,
    says: property.description ?? "",
    kind,
    choices: choices.map(String),
    preset: property.default == null ? null : textOf(property.default),
    required,
    hint: hint(property),
    items: kindOf(property.items ?? {}),
  };
}

function kindOf(property: Property): Field["kind"] {
  if (property.enum !== undefined) return "choice";
  const types = [property.type ?? "string"].flat().filter((type) => type !== "null");
  if (types.includes("array")) return "list";
  if (types.includes("boolean")) return "flag";
  if (types.includes("integer")) return "whole";
  return types.includes("number") ? "number" : "text";
}

function hint(property: Property): string {
  const { minimum, maximum, format, examples } = property;
  if (examples !== undefined) return examples.map(String).join(", ");
  if (format === "path") return "a path";
  const range = property.items === undefined && minimum !== undefined && maximum !== undefined;
  return range && maximum < 1e9 ? `${minimum} – ${maximum}` : "";
}

/** A value as it is typed. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join("\n");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What is in a field that nobody touched. */
export function untouched(field: Field): string {
  if (field.preset !== null) return field.preset;
  return field.kind === "flag" ? "false" : "";
}

/** Lines of a list; empty ones are none. */
function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** A value that was typed, as JSON; a number too long for this browser stays text, which the server reads. */
function jsonOf(kind: Field["kind"], text: string): unknown {
  if (kind === "flag") return text === "true";
  if (kind !== "whole" && kind !== "number") return text;
  const number = Number(text);
  const exact =
    text.trim() !== "" && Number.isFinite(number) && (kind === "number" || Number.isSafeInteger(number));
  return exact ? number : text;
}

/** What is said with a field, as JSON; `undefined` where it is left to the job. */
export function said(field: Field, text: string): unknown {
  if (text === untouched(field) && !(field.required && field.kind !== "list" && text !== ""))
    return undefined;
  if (field.kind === "list") return lines(text).map((line) => jsonOf(field.items, line));
  // A text may be empty where it is so on purpose; a number cannot.
  if (text === "" && !(field.kind === "text" && field.preset !== null)) return undefined;
  return jsonOf(field.kind, text);
}

/** What is wrong with a field before the server is asked. */
export function problem(field: Field, text: string): string | null {
  if (field.required && text === "" && field.kind !== "list") return "a value is needed";
  if (field.kind === "whole" && text !== "" && !/^\s*[+-]?\d+\s*$/.test(text))
    return "a whole number is needed";
  if (field.kind === "number" && text !== "" && !Number.isFinite(Number(text))) return "a number is needed";
  return null;
}

/** The arguments that are said, and the secrets, as a request has them. */
export function request(fields: Field[], texts: Record<string, string>) {
  const args: Record<string, unknown> = {};
  const secrets: Record<string, string> = {};
  for (const field of fields) {
    const text = texts[field.name] ?? untouched(field);
    if (field.kind === "secret") {
      if (text !== "") secrets[field.name] = text;
      continue;
    }
    const value = said(field, text);
    if (value !== undefined) args[field.name] = value;
  }
  return { args, secrets };
}

/** A word of a command line, in quotes where a shell would read more into it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A flag and its value: one that begins with `-` would be read as another flag. */
function flag(name: string, value: string): string {
  const dashed = `--${name.replaceAll("_", "-")}`;
  return value.startsWith("-") || value === "" ? `${dashed}=${quoted(value)}` : `${dashed} ${quoted(value)}`;
}

function argumentFlags(field: Field, value: unknown): string[] {
  if (field.kind === "flag")
    return [
      value === true ? `--${field.name.replaceAll("_", "-")}` : `--${field.name.replaceAll("_", "-")}=false`,
    ];
  if (Array.isArray(value)) return value.map((item) => flag(field.name, textOf(item)));
  return [flag(field.name, textOf(value))];
}

export function limitFlags(limits: Partial<Limits>): string[] {
  const { max_concurrent, order, fail_fast, pools = {} } = limits;
  return [
    ...(max_concurrent != null ? [flag("max-concurrent", String(max_concurrent))] : []),
    ...(order != null ? [flag("order", order.replaceAll("_", "-"))] : []),
    ...(fail_fast != null ? [fail_fast ? "--fail-fast" : "--no-fail-fast"] : []),
    ...Object.entries(pools).map(([pool, limit]) => flag("pool", `${pool}=${limit}`)),
  ];
}

/** The command line that launches the same. Secrets are never on it: they come from the environment. */
export function commandLine(
  command: string,
  fields: Field[],
  args: Record<string, unknown>,
  limits: Partial<Limits> = {},
  tags: Record<string, string> = {},
): string {
  const secrets = fields
    .filter((field) => field.kind === "secret")
    .map((field) => `FANFOLD_ARG_${field.name.toUpperCase()}=… `);
  const flags = fields
    .filter((field) => field.name in args)
    .flatMap((field) => argumentFlags(field, args[field.name]));
  const tagged = Object.entries(tags).map(([name, value]) => flag("tag", `${name}=${value}`));
  return secrets.join("") + [command, ...flags, ...limitFlags(limits), ...tagged].join(" ");
}

/** The field that an error of the server's is about: it has its name in backticks. */
export function fieldOf(fields: Field[], error: string): string | null {
  return (
    fields.find(
      ({ name }) => error.includes(`\`${name}\``) || error.includes(`\`--${name.replaceAll("_", "-")}\``),
    )?.name ?? null
  );
}
