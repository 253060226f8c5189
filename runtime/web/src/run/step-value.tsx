// Values and notes of a step: a tree that folds, and texts that stay texts.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { bytes, count, counted } from "../format";
import { Copy } from "../parts/copy";
import type { Note, Shown } from "../types";
import { inLine, type Json, readJson } from "./step-json";

const AT_ONCE = 100;

/** A value of which all or the beginning is there. */
export function Value({ shown, href }: { shown: Shown; href?: string }) {
  const json = useMemo(() => readJson(shown.json), [shown.json]);
  return (
    <div class="sp-value">
      {json === null ? <pre>{shown.json}</pre> : <Tree value={json} depth={0} />}
      <p class="sp-foot soft">
        {shown.cut && <span class="tag">cut: this is the beginning</span>}
        {bytes(shown.bytes)}
        <Copy text={shown.json} what="the value as JSON" />
        {href !== undefined && (
          <a href={href} download>
            Download
          </a>
        )}
      </p>
    </div>
  );
}

/** A value as a tree; its children are drawn when it is first unfolded. */
export function Tree({ value, depth, name }: { value: Json; depth: number; name?: string }) {
  const many = value.kind === "object" || value.kind === "array";
  const open = useSignal(many && (depth === 0 || (depth < 3 && value.entries.length <= 4)));
  const most = useSignal(AT_ONCE);
  const label = name !== undefined && <span class="js-name">{name}: </span>;
  if (!many)
    return (
      <div class="js-leaf">
        {label}
        <Leaf value={value} />
      </div>
    );
  return (
    <details
      class="js-many"
      open={open.value}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>
        {label}
        <span class="soft">
          {value.kind === "object" ? "{" : "["}
          {open.value ? "" : ` ${inLine(value, 60).slice(1, -1)} `}
          {open.value ? "" : value.kind === "object" ? "}" : "]"}
          {value.entries.length > 3 &&
            ` ${counted(value.entries.length, value.kind === "object" ? "field" : "item")}`}
        </span>
      </summary>
      {open.value && (
        <div class="js-in">
          {value.entries.slice(0, most.value).map(([name, one]) => (
            <Tree key={name} value={one} depth={depth + 1} name={name} />
          ))}
          {value.entries.length > most.value && (
            <button
              type="button"
              class="link"
              onClick={() => {
                most.value += AT_ONCE * 2;
              }}
            >
              {count(value.entries.length - most.value)} more
            </button>
          )}
          {!value.whole && <span class="soft">… cut here</span>}
        </div>
      )}
    </details>
  );
}

function Leaf({ value }: { value: Json & { kind: "text" | "plain" } }) {
  const whole = useSignal(false);
  if (value.kind === "plain")
    return <span class={/^[-\d]/.test(value.text) ? "js-number" : "js-word"}>{value.text}</span>;
  const long = value.text.length > 400 && !whole.value;
  return (
    <span class="js-text">
      "{long ? value.text.slice(0, 300) : value.text}
      {value.whole && !long && '"'}
      {!value.whole && !long && "… cut here"}
      {long && (
        <button
          type="button"
          class="link"
          onClick={() => {
            whole.value = true;
          }}
        >
          … {counted(value.text.length, "character")}
        </button>
      )}
    </span>
  );
}

/** Something that an op said of its step. */
export function NoteView({ note }: { note: Note }) {
  const value = note.value as unknown;
  if (note.kind === "int" && typeof value === "number") return <b class="sp-number">{count(value)}</b>;
  if (note.kind === "float" && typeof value === "number") return <b class="sp-number">{String(value)}</b>;
  if (note.kind === "url") return <Link url={String(value)} />;
  if (note.kind === "text") return <p class="sp-said">{String(value)}</p>;
  if (note.kind === "markdown") return <Markdown text={String(value)} />;
  if (note.kind === "table" && isTable(value)) return <TableNote table={value} />;
  const json = readJson(JSON.stringify(value) ?? "null");
  return <div class="sp-value">{json && <Tree value={json} depth={0} />}</div>;
}

/** A link to the web, and to nothing else: other schemes stay text. */
function Link({ url, children }: { url: string; children?: ComponentChildren }) {
  if (!/^https?:\/\//i.test(url)) return <span class="mono">{children ?? url}</span>;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener">
      {children ?? url}
    </a>
  );
}

interface Table {
  columns: unknown[];
  rows: unknown[][];
}

function isTable(value: unknown): value is Table {
  const table = value as Partial<Table> | null;
  return Array.isArray(table?.columns) && Array.isArray(table.rows) && table.rows.every(Array.isArray);
}

function TableNote({ table }: { table: Table }) {
  const most = useSignal(50);
  const cell = (value: unknown) =>
    typeof value === "string" ? value : value == null ? "" : JSON.stringify(value);
  return (
    <div class="sp-table">
      <table>
        <thead>
          <tr>
            {table.columns.map((column, i) => (
              <th key={i} scope="col">
                {cell(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.slice(0, most.value).map((row, i) => (
            <tr key={i}>
              {row.map((value, j) => (
                <td key={j} class={typeof value === "number" ? "number" : undefined}>
                  {cell(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {table.rows.length > most.value && (
        <button
          type="button"
          class="link"
          onClick={() => {
            most.value += 200;
          }}
        >
          {counted(table.rows.length - most.value, "more row")}
        </button>
      )}
    </div>
  );
}

/** Headings, lists, code, emphasis and links of the web; all else is text with its line breaks. */
function Markdown({ text }: { text: string }) {
  const blocks = text.split(/(?:^|\n)```[^\n]*\n?/);
  return (
    <div class="sp-markdown">
      {blocks.map((block, i) =>
        i % 2 === 1 ? (
          <pre key={i}>{block.replace(/\n$/, "")}</pre>
        ) : (
          block.split(/\n{2,}/).map((part, j) => <Block key={`${i} ${j}`} text={part} />)
        ),
      )}
    </div>
  );
}

function Block({ text }: { text: string }) {
  const heading = /^#{1,6} (.*)/.exec(text);
  if (heading) {
    const rest = text.slice(heading[0].length).trim();
    return (
      <>
        <p class="strong">{spans(heading[1] as string)}</p>
        {rest && <Block text={rest} />}
      </>
    );
  }
  const lines = text.split("\n");
  if (lines.every((line) => /^\s*([-*]|\d+\.) /.test(line)))
    return (
      <ul>
        {lines.map((line, i) => (
          <li key={i}>{spans(line.replace(/^\s*([-*]|\d+\.) /, ""))}</li>
        ))}
      </ul>
    );
  return text.trim() === "" ? null : <p class="sp-said">{spans(text)}</p>;
}

const SPAN = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

function spans(text: string): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  let at = 0;
  for (const found of text.matchAll(SPAN)) {
    const [all, code, strong, soft, label, url] = found;
    out.push(text.slice(at, found.index));
    at = found.index + all.length;
    if (code) out.push(<code>{code}</code>);
    else if (strong) out.push(<b>{strong}</b>);
    else if (soft) out.push(<em>{soft}</em>);
    else out.push(<Link url={url as string}>{label}</Link>);
  }
  out.push(text.slice(at));
  return out;
}
