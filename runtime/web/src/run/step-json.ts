// JSON as it is shown and copied: numbers keep their digits, and what was cut in the middle is still read.

/** A value. `whole` is `false` where the text ended before it did. */
export type Json =
  | { kind: "object"; entries: [string, Json][]; whole: boolean }
  | { kind: "array"; entries: [string, Json][]; whole: boolean }
  | { kind: "text"; text: string; whole: boolean }
  /** A number, `true`, `false` or `null`, as it is written. */
  | { kind: "plain"; text: string; whole: boolean };

const DEEPEST = 200;

/** Reads a value as far as the text goes; `null` if it is not JSON. */
export function readJson(text: string): Json | null {
  const reader = new Reader(text);
  const value = reader.value(0);
  return value !== null && (reader.atEnd() || !value.whole) ? value : null;
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  atEnd(): boolean {
    this.#space();
    return this.#at >= this.text.length;
  }

  value(depth: number): Json | null {
    this.#space();
    const next = this.text[this.#at];
    if (depth > DEEPEST) return null;
    if (next === "{" || next === "[") return this.#many(next === "{" ? "object" : "array", depth);
    if (next === '"') return this.#string();
    const found = /[-+.\w]+/y;
    found.lastIndex = this.#at;
    const word = found.exec(this.text)?.[0];
    if (word === undefined) return null;
    this.#at += word.length;
    const known = /^(true|false|null|-?\d+(\.\d+)?([eE][-+]?\d+)?)$/.test(word);
    const cut = this.#at >= this.text.length;
    return known || cut ? { kind: "plain", text: word, whole: known } : null;
  }

  #many(kind: "object" | "array", depth: number): Json | null {
    const entries: [string, Json][] = [];
    const close = kind === "object" ? "}" : "]";
    this.#at++;
    for (;;) {
      if (this.atEnd()) return { kind, entries, whole: false };
      const next = this.text[this.#at];
      if (next === close) {
        this.#at++;
        return { kind, entries, whole: true };
      }
      if (next === ",") {
        this.#at++;
        continue;
      }
      let name = String(entries.length);
      if (kind === "object") {
        if (next !== '"') return null;
        const said = this.#string();
        if (this.atEnd()) return { kind, entries, whole: false };
        if (said.kind !== "text" || this.text[this.#at] !== ":") return null;
        name = said.text;
        this.#at++;
        if (this.atEnd()) return { kind, entries, whole: false };
      }
      const value = this.value(depth + 1);
      if (value === null) return null;
      entries.push([name, value]);
      if (!value.whole) return { kind, entries, whole: false };
    }
  }

  #string(): Json {
    const start = this.#at++;
    while (this.#at < this.text.length && this.text[this.#at] !== '"')
      this.#at += this.text[this.#at] === "\\" ? 2 : 1;
    const whole = this.#at < this.text.length;
    this.#at++;
    const raw = this.text.slice(start, this.#at);
    // An escape that was cut has no meaning.
    const said = whole ? raw : `${raw.replace(/\\(u[\da-fA-F]{0,3})?$/, "")}"`;
    try {
      return { kind: "text", text: JSON.parse(said) as string, whole };
    } catch {
      return { kind: "text", text: said.slice(1, -1), whole };
    }
  }

  #space(): void {
    while (/\s/.test(this.text[this.#at] ?? "")) this.#at++;
  }
}

/** A value in one line, no longer than about `most`. */
export function inLine(value: Json, most: number): string {
  if (value.kind === "plain") return value.text;
  if (value.kind === "text")
    return JSON.stringify(value.text.length > most ? `${value.text.slice(0, most)}…` : value.text);
  const [open, close] = value.kind === "object" ? "{}" : "[]";
  let out = "";
  for (const [name, one] of value.entries) {
    if (out.length > most) return `${open}${out}, …${close}`;
    out += `${out ? ", " : ""}${value.kind === "object" ? `${name}: ` : ""}${inLine(one, most - out.length)}`;
  }
  return `${open}${out}${value.whole ? "" : ", …"}${close}`;
}

/** A value as Rust: a literal where it is one, else `json!(…)`. */
export function asRust(value: Json, indent = ""): string {
  if (value.kind === "text") return rustText(value.text);
  if (value.kind === "plain") return value.text;
  return `serde_json::json!(${inMacro(value, indent)})`;
}

function inMacro(value: Json, indent: string): string {
  if (value.kind === "text") return rustText(value.text);
  // A bare number of the macro is an `i32`: larger ones would not compile.
  if (value.kind === "plain")
    return /^-?\d{10,}$/.test(value.text)
      ? `${value.text}${value.text[0] === "-" ? "_i64" : "_u64"}`
      : value.text;
  const deeper = `${indent}    `;
  const [open, close] = value.kind === "object" ? "{}" : "[]";
  const items = value.entries.map(
    ([name, one]) => (value.kind === "object" ? `${rustText(name)}: ` : "") + inMacro(one, deeper),
  );
  const line = items.join(", ");
  if (line.length < 60 && !line.includes("\n")) return `${open}${line}${close}`;
  return `${open}\n${items.map((item) => `${deeper}${item},\n`).join("")}${indent}${close}`;
}

/** A string as a Rust literal. */
export function rustText(text: string): string {
  const escaped = text.replace(/["\\\n\r\t]|[^\P{C}\n\r\t]/gu, (char) => {
    const known: Record<string, string> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    return known[char] ?? `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
  });
  return `"${escaped}"`;
}

/** A test of an op with the inputs of one of its steps. */
export function asTest(op: string, step: string, inputs: { from: string; value: Json | null }[]): string {
  const name = step
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .toLowerCase();
  const lines = inputs.map(({ from, value }, i) => {
    const given =
      value === null
        ? "todo!()"
        : value.kind === "plain" || value.kind === "text"
          ? asRust(value) + (value.kind === "text" ? ".into()" : "")
          : `serde_json::from_value(${asRust(value, "    ")}).unwrap()`;
    const note = value === null ? ", whose value is not recorded" : value.whole ? "" : ", cut";
    return `    // ${from.replaceAll("\n", " ")}${note}\n    let input_${i + 1} = ${given};\n`;
  });
  const call = `${op}::call(${inputs.map((_, i) => `input_${i + 1}`).join(", ")})`;
  return `#[test]\nfn ${name}() {\n${lines.join("")}    let output = ${call};\n}\n`;
}
