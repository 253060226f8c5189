// What could not be had: what is wrong, what to do, and how old what is shown instead is.
import type { Answer, Refused } from "../fetch";
import { when } from "../format";
import { Line } from "./doc";

export function RefusedMark({ error }: { error: Refused }) {
  return (
    <div class="refused" role="alert">
      <Said error={error} />
    </div>
  );
}

function Said({ error }: { error: Refused }) {
  return (
    <>
      <b class={error.message.includes("\n") ? "lines" : ""}>
        <Line text={error.message} />
      </b>
      {error.help !== null && (
        <p>
          <Line text={error.help} />
        </p>
      )}
    </>
  );
}

/** The mark of an answer that failed: small beside old data, large without any. */
export function AnswerMark<T>({ answer }: { answer: Answer<T> }) {
  const failure = answer.failure.value;
  if (failure === null) return null;
  const since = when(failure.since / 1000, Date.now() / 1000);
  return (
    <div class="refused" role="alert">
      <Said error={failure.error} />
      <p>
        {answer.data.value !== null && `Not updated since ${since}. `}
        <button type="button" class="link" onClick={() => void answer.again()}>
          Try again
        </button>
      </p>
    </div>
  );
}

/** The mark of a page that is not told of changes any more. */
export function LostMark({ since }: { since: number | null }) {
  if (since === null) return null;
  return (
    <p class="lost" role="status">
      Not connected since {when(since / 1000, Date.now() / 1000)}: what is shown is as it was then.
    </p>
  );
}
