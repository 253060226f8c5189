// What the buttons of a run ask before they act.
import { type Signal, useSignal } from "@preact/signals";
import { formatQuery, go, to } from "../address";
import { post } from "../fetch";
import { count, counted } from "../format";
import { Command } from "../parts/copy";
import { Dialog } from "../parts/dialog";
import { RefusedMark } from "../parts/refused";
import { useDry, useRequest } from "../parts/request";
import { StateShape } from "../parts/state";
import type { Begun, RunDetail } from "../types";
import { FROM_FAILURES } from "./actions";
import type { RunState } from "./state";

export interface DialogProps {
  run: RunState;
  close: () => void;
}

export function CancelDialog({ run, close }: DialogProps) {
  const reason = useSignal("");
  const { busy, refused, send } = useRequest<Begun>();
  const { steps, short } = run.detail.value.run;
  const act = (event: Event) => {
    event.preventDefault();
    const body = reason.value === "" ? {} : { reason: reason.value };
    void send(() => post<Begun>(`${run.address}/cancel`, body), close);
  };
  return (
    <Dialog title={`Cancel run ${short}?`} close={close}>
      <form onSubmit={act}>
        <p>
          {`${counted(steps.running, "step")} at work ${steps.running === 1 ? "is" : "are"} asked to stop, and no other begins. What succeeded is kept: the run can be resumed.`}
        </p>
        <label class="field">
          <span>Reason</span>
          <input
            value={reason.value}
            placeholder="none"
            onInput={(event) => {
              reason.value = event.currentTarget.value;
            }}
          />
        </label>
        <Command text={run.detail.value.commands.cancel} says="The same in a terminal" />
        {refused.value !== null && <RefusedMark error={refused.value} />}
        <footer>
          <button type="button" onClick={close}>
            Let it run
          </button>
          <button type="submit" class="main" disabled={busy.value}>
            Cancel the run
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** How many steps would run, and how many are taken from the run before. */
function Outlook({ begun }: { begun: Begun | null }) {
  if (begun === null) return <p class="outlook soft">counting steps…</p>;
  const about = begun.unknown ? "at least " : "";
  return (
    <div class="outlook">
      {begun.steps != null && (
        <p>
          <b>{`${about}${counted(begun.steps, "step")}`}</b> would run
          {begun.reused != null && begun.reused > 0 && (
            <>
              , <b>{count(begun.reused)}</b> are taken from the run before
            </>
          )}
        </p>
      )}
      {begun.steps == null && <p>{begun.text}</p>}
    </div>
  );
}

function Secrets({ detail, values }: { detail: RunDetail; values: Signal<Record<string, string>> }) {
  if (detail.secrets.length === 0) return null;
  return (
    <fieldset class="fields">
      <legend class="soft">Secrets are recorded nowhere, so they are asked for again.</legend>
      {detail.secrets.map((name) => (
        <label key={name} class="field">
          <span class="mono">{name}</span>
          <input
            type="password"
            autoComplete="off"
            value={values.value[name] ?? ""}
            onInput={(event) => {
              values.value = { ...values.value, [name]: event.currentTarget.value };
            }}
          />
        </label>
      ))}
    </fieldset>
  );
}

/** The secrets that were given: an empty field is left to the server's environment. */
function given(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

export function ResumeDialog({ run, close }: DialogProps) {
  const address = `${run.address}/resume`;
  const secrets = useSignal<Record<string, string>>({});
  const dry = useDry(address, {});
  const { busy, refused, send } = useRequest<Begun>();
  const detail = run.detail.value;
  const act = (event: Event) => {
    event.preventDefault();
    void send(
      () => post<Begun>(address, { secrets: given(secrets.value) }),
      () => {
        close();
        run.reload();
      },
    );
  };
  const error = refused.value ?? dry.refused;
  return (
    <Dialog title={`Resume run ${detail.run.short}`} close={close}>
      <form onSubmit={act}>
        <p>It goes on in the same record: what succeeded stays, the other steps run.</p>
        {dry.refused === null && <Outlook begun={dry.begun} />}
        <Secrets detail={detail} values={secrets} />
        <Command text={dry.begun?.command ?? detail.commands.resume} says="The same in a terminal" />
        {error !== null && <RefusedMark error={error} />}
        <footer>
          <button type="button" onClick={close}>
            Not now
          </button>
          <button type="submit" class="main" disabled={busy.value}>
            Resume
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

interface Choice {
  says: string;
  select: string | null;
}

/** The name of an op as a term of a selection has it. */
function term(op: string): string {
  return op.replace(/[\\[\],+*: ]/g, (special) => `\\${special}`);
}

function choices(run: RunState, first: string | null): Choice[] {
  const { op, step } = run.selection;
  const bad = run.detail.value.run.steps;
  const list: Choice[] = [{ says: "All of it", select: null }];
  if (bad.failed + bad.upstream_failed + bad.cancelled + bad.waiting > 0) {
    list.push({ says: "What did not succeed, and all after it", select: FROM_FAILURES });
  }
  if (op.value !== null) list.push({ says: `${op.value}, and all after it`, select: `${term(op.value)}*` });
  if (step.value !== null) list.push({ says: `${step.value}, and all after it`, select: `${step.value}*` });
  if (list.every((choice) => choice.select !== first)) list.push({ says: "What was chosen", select: first });
  return list;
}

export function RerunDialog({ run, first, close }: DialogProps & { first: string | null }) {
  const select = useSignal(first ?? "");
  const secrets = useSignal<Record<string, string>>({});
  const address = `${run.address}/rerun`;
  const asked = select.value.trim() === "" ? null : select.value.trim();
  const dry = useDry(address, { select: asked });
  const { busy, refused, send } = useRequest<Begun>();
  const detail = run.detail.value;
  const act = (event: Event) => {
    event.preventDefault();
    void send(
      () => post<Begun>(address, { select: asked, secrets: given(secrets.value) }),
      (begun) => {
        close();
        if (begun.run != null) go(to(["runs", begun.run]));
      },
    );
  };
  const error = refused.value ?? dry.refused;
  return (
    <Dialog title={`Rerun ${detail.run.short}`} close={close} wide>
      <form onSubmit={act}>
        <p>A new run with the same arguments; this one stays as it is.</p>
        <fieldset class="choices">
          <legend class="unseen">What to run again</legend>
          {choices(run, first).map((choice) => (
            <label key={choice.select ?? ""}>
              <input
                type="radio"
                name="what"
                checked={choice.select === asked}
                onChange={() => {
                  select.value = choice.select ?? "";
                }}
              />
              {choice.says}
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>Selection</span>
          <input
            class="mono"
            value={select.value}
            placeholder="all steps"
            spellcheck={false}
            onInput={(event) => {
              select.value = event.currentTarget.value;
            }}
          />
          <small class="soft">
            <code>op</code>, <code>op[key]</code>, <code>+op</code> with what it reads, <code>op*</code> with
            all after it, <code>state:failed</code>
          </small>
        </label>
        {dry.refused === null && <Outlook begun={dry.begun} />}
        <Secrets detail={detail} values={secrets} />
        {dry.refused === null && (
          <Command text={dry.begun?.command ?? detail.commands.rerun} says="The same in a terminal" />
        )}
        {error !== null && <RefusedMark error={error} />}
        <footer>
          <a
            class="button"
            href={to(["jobs", detail.run.job, "launch"]) + formatQuery({ from: detail.run.short })}
          >
            With other arguments…
          </a>
          <span class="grow" />
          <button type="button" onClick={close}>
            Not now
          </button>
          <button type="submit" class="main" disabled={busy.value || dry.refused !== null}>
            <StateShape state="running" />
            Rerun
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

export function CommandsDialog({ detail, close }: { detail: RunDetail; close: () => void }) {
  const { show, logs, resume, rerun, cancel, export: write } = detail.commands;
  return (
    <Dialog title="In a terminal" close={close} wide>
      <Command says="Show this run" text={show} />
      <Command says="Its logs" text={logs} />
      <Command says="Export the record to a file" text={write} />
      {detail.run.state === "running" ? (
        <Command says="Cancel it" text={cancel} />
      ) : (
        detail.run.state !== "succeeded" && <Command says="Resume it" text={resume} />
      )}
      <Command says="Rerun it" text={rerun} />
    </Dialog>
  );
}
