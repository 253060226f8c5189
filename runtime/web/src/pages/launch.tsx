// A form that launches a job, and the command line that does the same.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { formatQuery, go, path, query, to } from "../address";
import { post, readOnly, useAnswer } from "../fetch";
import { FieldRow } from "../launch/field";
import { commandLine, type Field, fieldOf, fieldsOf, problem, request, untouched } from "../launch/form";
import { Advanced, limitsOf, tagsOf } from "../launch/limits";
import { Command } from "../parts/copy";
import { firstParagraph, Line } from "../parts/doc";
import { AnswerMark, RefusedMark } from "../parts/refused";
import { useDry, useRequest } from "../parts/request";
import { StateShape } from "../parts/state";
import { useTitle } from "../title";
import type { Begun, JobDetail, RunDetail } from "../types";

/** Names of the address that are the page's own: arguments of these names have `arg.` before them. */
const OWN = /^(from|tab|tags|max_concurrent|order|fail_fast|pool\..*|arg\..*)$/;

/** What an argument is called in the address. */
const inAddress = (name: string) => (OWN.test(name) ? `arg.${name}` : name);

export function LaunchPage({ job }: { job: string }) {
  const answer = useAnswer<JobDetail>(`/jobs/${encodeURIComponent(job)}`);
  const { from } = query.value;
  const before = useAnswer<RunDetail>(from ? `/runs/${encodeURIComponent(from)}` : null);
  useTitle(`Launch ${job}`);
  const detail = answer.data.value;
  const waits = from !== undefined && before.data.value === null && before.failure.value === null;
  return (
    <div class="page launch">
      <h1>
        Launch <a href={to(["jobs", job])}>{job}</a>
      </h1>
      {detail !== null && (
        <p class="soft">
          <Line text={firstParagraph(detail.job.doc)} />
          {before.data.value !== null && ` As run ${before.data.value.run.short} was, unless you change it.`}
        </p>
      )}
      <AnswerMark answer={answer} />
      {from !== undefined && <AnswerMark answer={before} />}
      {detail !== null && !waits && <Form detail={detail} before={before.data.value} />}
    </div>
  );
}

/** What the fields hold where nothing was typed: the arguments of the run before, or the defaults. */
function basis(fields: Field[], before: RunDetail | null): Record<string, string> {
  const args = new Map(before?.run.args.map((arg) => [arg.name, arg.value]));
  return Object.fromEntries(
    fields.map((field) => {
      const value = args.get(field.name);
      // A list is told with commas.
      const text = value !== undefined && field.kind === "list" ? value.split(", ").join("\n") : value;
      return [field.name, text ?? untouched(field)];
    }),
  );
}

function Form({ detail, before }: { detail: JobDetail; before: RunDetail | null }) {
  const fields = fieldsOf(detail.schema, detail.order);
  const base = basis(fields, before);
  const secrets = useSignal<Record<string, string>>({});
  const json = useSignal<string | null>(null);
  const tried = useSignal(false);
  const { busy, refused, send } = useRequest<Begun>();
  const texts = Object.fromEntries(
    fields.map(({ name, kind }) => [
      name,
      kind === "secret" ? (secrets.value[name] ?? "") : (query.value[inAddress(name)] ?? base[name] ?? ""),
    ]),
  );
  const type = (name: string, text: string) => {
    refused.value = null;
    if (fields.some((field) => field.name === name && field.kind === "secret")) {
      secrets.value = { ...secrets.value, [name]: text };
    } else {
      put({ [inAddress(name)]: text === base[name] ? null : text });
    }
  };
  const typed = request(fields, texts);
  const parsed = json.value === null ? { args: typed.args, error: null } : parse(json.value);
  const limits = limitsOf(query.value);
  const tags = tagsOf(query.value.tags ?? "");
  const body = { args: parsed.args, secrets: typed.secrets, tags, limits };
  const problems = new Map(
    fields.flatMap((field) => {
      // In the other tab only secrets are asked for in fields.
      const wrong =
        json.value !== null && field.kind !== "secret" ? null : problem(field, texts[field.name] ?? "");
      return wrong === null ? [] : [[field.name, wrong] as const];
    }),
  );
  const ready = problems.size === 0 && parsed.error === null;
  const address = `/jobs/${encodeURIComponent(detail.job.name)}/runs`;
  const dry = useDry(address, ready ? body : null);
  const error = refused.value ?? dry.refused;
  const at = error === null ? null : fieldOf(fields, error.message);
  const launch = (event: Event) => {
    event.preventDefault();
    tried.value = true;
    if (!ready) return document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
    void send(
      () => post<Begun>(address, body),
      (begun) => go(begun.run == null ? "/" : to(["runs", begun.run])),
    );
  };
  const command =
    json.value === null
      ? commandLine(detail.command, fields, typed.args, limits, tags)
      : commandLine(
          `${detail.command} --args ${quotedJson(parsed.args)}`,
          fields.filter(isSecret),
          {},
          limits,
          tags,
        );
  return (
    <form onSubmit={launch} noValidate>
      <div class="launch-what">
        <ModeTabs json={json} args={typed.args} />
        <div class="card form">
          {json.value !== null && <JsonField json={json} error={parsed.error} />}
          {fields
            .filter((field) => json.value === null || isSecret(field))
            .map((field) => (
              <FieldRow
                key={field.name}
                field={field}
                text={texts[field.name] ?? ""}
                type={(text) => type(field.name, text)}
                wrong={
                  (tried.value || texts[field.name] !== "" ? problems.get(field.name) : undefined) ??
                  (at === field.name ? (error?.message ?? null) : null)
                }
                help={at === field.name ? (error?.help ?? null) : null}
              />
            ))}
          {json.value === null && fields.length === 0 && <p class="soft">This job takes no arguments.</p>}
        </div>
        <Advanced detail={detail} put={put} />
      </div>
      <aside aria-label="Launch">
        <Command text={command} says="The same in a terminal" />
        {error !== null && at === null && <RefusedMark error={error} />}
        <button type="submit" class="main" disabled={busy.value || readOnly}>
          <StateShape state="running" />
          {busy.value ? "Launching…" : "Launch"}
        </button>
        {ready && dry.begun !== null && (
          <div class="outlook">
            <p>{dry.begun.text}</p>
          </div>
        )}
      </aside>
    </form>
  );
}

const isSecret = (field: Field) => field.kind === "secret";

/** Writes what was typed to the address: a copied link shows the same form. A text may be empty. */
function put(change: Record<string, string | null>): void {
  const all = Object.entries({ ...query.peek(), ...change }).filter(([, value]) => value !== null);
  const pairs = all.map(
    ([name, value]) => formatQuery({ [name]: value }).slice(1) || `${encodeURIComponent(name)}=`,
  );
  go(path.peek() + (pairs.length > 0 ? `?${pairs.join("&")}` : ""), "replace");
}

function quotedJson(args: Record<string, unknown>): string {
  return `'${JSON.stringify(args).replaceAll("'", "'\\''")}'`;
}

function parse(text: string): { args: Record<string, unknown>; error: string | null } {
  try {
    const args = JSON.parse(text) as unknown;
    if (typeof args === "object" && args !== null && !Array.isArray(args)) {
      return { args: args as Record<string, unknown>, error: null };
    }
    return { args: {}, error: "an object of arguments by name is needed" };
  } catch (error) {
    return { args: {}, error: error instanceof Error ? error.message : "this is no JSON" };
  }
}

function ModeTabs({ json, args }: { json: Signal<string | null>; args: Record<string, unknown> }) {
  useEffect(() => {
    if (query.peek().tab === "json") json.value ??= JSON.stringify(args, null, 2);
  }, []);
  return (
    <fieldset class="tabs">
      <legend class="unseen">How arguments are given</legend>
      <button
        type="button"
        aria-pressed={json.value === null}
        onClick={() => {
          json.value = null;
          put({ tab: null });
        }}
      >
        Form
      </button>
      <button
        type="button"
        aria-pressed={json.value !== null}
        onClick={() => {
          json.value ??= JSON.stringify(args, null, 2);
          put({ tab: "json" });
        }}
      >
        JSON
      </button>
    </fieldset>
  );
}

function JsonField({ json, error }: { json: Signal<string | null>; error: string | null }) {
  return (
    <label class="field">
      <span>Arguments by name; what is left out has its default</span>
      <textarea
        rows={10}
        spellcheck={false}
        aria-invalid={error !== null}
        value={json.value ?? ""}
        onInput={(event) => {
          json.value = event.currentTarget.value;
        }}
      />
      {error !== null && <small class="wrong">{error}</small>}
    </label>
  );
}
