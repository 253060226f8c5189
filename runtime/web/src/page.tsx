// The frame of every page, and which page an address shows.
import { useEffect, useRef } from "preact/hooks";
import { go, parts } from "./address";
import { helpShown, useKeys } from "./keys";
import { later, loadMore } from "./later";
import { RunPage } from "./pages/run";
import { RunsPage } from "./pages/runs";
import { Announcer, announce } from "./parts/announce";
import { copy } from "./parts/copy";
import { dark, nextTheme } from "./theme";

const JobPage = later((more) => more.JobPage);
const JobsPage = later((more) => more.JobsPage);
const LaunchPage = later((more) => more.LaunchPage);
const HelpDialog = later((more) => more.HelpDialog);

void loadMore();

export function Page() {
  useKeys(
    [
      {
        keys: "?",
        says: "this list of keys",
        act: () => {
          helpShown.value = true;
        },
      },
      { keys: "g r", says: "runs", act: () => go("/") },
      { keys: "g j", says: "jobs", act: () => go("/jobs") },
      { keys: "/", says: "search", act: () => document.querySelector<HTMLElement>("[data-search]")?.focus() },
      {
        keys: "y",
        says: "copy a link to what is shown",
        act: () => void copy(location.href).then(() => announce("The link is copied")),
      },
    ],
    true,
  );
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Top />
      <main id="main" tabIndex={-1}>
        <Route />
      </main>
      <Announcer />
      {helpShown.value && <HelpDialog />}
    </>
  );
}

function Top() {
  const at = parts.value[0] ?? "runs";
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="fanfold, runs">
        <Mark />
        fanfold
      </a>
      <nav aria-label="Main">
        <a href="/" aria-current={at === "runs" ? "page" : undefined}>
          Runs
        </a>
        <a href="/jobs" aria-current={at === "jobs" ? "page" : undefined}>
          Jobs
        </a>
      </nav>
      <span class="grow" />
      <button
        type="button"
        class="icon"
        aria-label="Keys"
        title="Keys (?)"
        onClick={() => {
          helpShown.value = true;
        }}
      >
        <kbd>?</kbd>
      </button>
      <button
        type="button"
        class="icon"
        aria-label={dark.value ? "Light colours" : "Dark colours"}
        title={dark.value ? "Light colours" : "Dark colours"}
        onClick={nextTheme}
      >
        <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2" />
          <path class="filled" d="M8 2a6 6 0 0 1 0 12z" />
        </svg>
      </button>
    </header>
  );
}

/** A sheet that is folded as a fan. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M2 13L8 3l6 10" />
      <path d="M6 13l2-10 2 10" />
    </svg>
  );
}

function Route() {
  const [first, second, third] = parts.value;
  const title = useRef("");
  const name = second ?? "";
  const page = `${first ?? "runs"} ${name}`;
  useEffect(() => {
    if (title.current !== "" && title.current !== page)
      document.getElementById("main")?.focus({ preventScroll: true });
    title.current = page;
  }, [page]);
  if (first === undefined || (first === "runs" && second === undefined)) return <RunsPage />;
  if (first === "runs") return <RunPage key={name} id={name} />;
  if (first === "jobs" && second === undefined) return <JobsPage />;
  if (first === "jobs" && third === "launch") return <LaunchPage key={name} job={name} />;
  if (first === "jobs" && third === undefined) return <JobPage key={name} job={name} />;
  return <Nowhere />;
}

function Nowhere() {
  return (
    <section class="empty">
      <h1>There is nothing at this address</h1>
      <p>
        Go to the <a href="/">runs</a> or to the <a href="/jobs">jobs</a>.
      </p>
    </section>
  );
}
