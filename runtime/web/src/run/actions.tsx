// What can be done with a run. Each button says first how many steps it would run, and its command line.
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { readOnly } from "../fetch";
import { later } from "../later";
import { ended } from "./merge";
import type { RunState } from "./state";

const CancelDialog = later((more) => more.CancelDialog);
const ResumeDialog = later((more) => more.ResumeDialog);
const RerunDialog = later((more) => more.RerunDialog);
const CommandsDialog = later((more) => more.CommandsDialog);

/** Why nothing of a run can be begun here. */
export const NO_JOB = "This program does not have the job: use the program that has it";

type Shown = "cancel" | "resume" | "commands" | null;

/** What did not succeed, and all that comes after it. */
export const FROM_FAILURES = "state:not_succeeded*";

/** The rerun that is being thought about; a `select` of `null` is the whole run. */
export const rerunShown = signal<{ select: string | null } | null>(null);

export function Actions({ run }: { run: RunState }) {
  const shown = useSignal<Shown>(null);
  const detail = run.detail.value;
  const { state } = detail.run;
  // What was thought about for this run is not meant for the next.
  useEffect(
    () => () => {
      rerunShown.value = null;
    },
    [],
  );
  const close = () => {
    shown.value = null;
    rerunShown.value = null;
  };
  const open = (what: Shown) => () => {
    shown.value = what;
  };
  const resumable = state === "failed" || state === "interrupted" || state === "cancelled";
  const unknown = detail.has_job ? undefined : NO_JOB;
  return (
    <div class="acts">
      {state === "running" && !readOnly && (
        <button type="button" class="danger" disabled={detail.cancelling != null} onClick={open("cancel")}>
          Cancel…
        </button>
      )}
      {resumable && !readOnly && (
        <button
          type="button"
          class="main"
          disabled={!detail.has_job}
          title={unknown}
          onClick={open("resume")}
        >
          Resume…
        </button>
      )}
      {!readOnly && (
        <button
          type="button"
          disabled={!detail.has_job}
          title={unknown}
          onClick={() => {
            rerunShown.value = { select: ended(state) && state !== "succeeded" ? FROM_FAILURES : null };
          }}
        >
          Rerun…
        </button>
      )}
      <button type="button" onClick={open("commands")}>
        Commands
      </button>
      {shown.value === "cancel" && <CancelDialog run={run} close={close} />}
      {shown.value === "resume" && <ResumeDialog run={run} close={close} />}
      {shown.value === "commands" && <CommandsDialog detail={detail} close={close} />}
      {rerunShown.value !== null && <RerunDialog run={run} first={rerunShown.value.select} close={close} />}
    </div>
  );
}
