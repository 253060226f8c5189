// The address is the only store of what is seen: everything on screen is read from it and written to it.
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";

/** What a query holds, by name; an absent name has no value. */
export type Query = Record<string, string>;

/** `push` makes a step that the back button undoes; `replace` is for typing and zooming. */
export type Way = "push" | "replace";

const here = typeof location === "undefined" ? { pathname: "/", search: "" } : location;

/** The path of the address, as it is written: percent-encoded. */
export const path = signal(here.pathname);

/** The query of the address, with its `?`. */
export const search = signal(here.search);

/** The parts of the path, decoded: `/runs/7k2m` is `["runs", "7k2m"]`. */
export const parts: ReadonlySignal<string[]> = computed(() => split(path.value));

/** The query of the address by name. */
export const query: ReadonlySignal<Query> = computed(() => parseQuery(search.value));

export function split(path: string): string[] {
  return path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
}

/** Text that may be badly encoded is taken as it is: a broken link shows something rather than nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function parseQuery(search: string): Query {
  return Object.fromEntries(new URLSearchParams(search));
}

// Brackets and the like are legal in a query and common in names of steps: they stay readable.
const READABLE: Record<string, string> = {
  "%5B": "[",
  "%5D": "]",
  "%2C": ",",
  "%3A": ":",
  "%2F": "/",
  "%40": "@",
};

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/%(5B|5D|2C|3A|2F|40)/g, (code) => READABLE[code] as string);
}

/** The query as text with its `?`; what is empty is left out. */
export function formatQuery(query: Record<string, string | number | null | undefined>): string {
  const pairs = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const text = pairs.map(([name, value]) => `${encoded(name)}=${encoded(String(value))}`).join("&");
  return text === "" ? "" : `?${text}`;
}

/** An address from the parts of a path, which are encoded, and a query. */
export function to(parts: string[], query: Record<string, string | number | null | undefined> = {}): string {
  return `/${parts.map(encodeURIComponent).join("/")}${formatQuery(query)}`;
}

/** How long what is replaced may wait: browsers refuse to write the address more than some times a second. */
const WRITE_MS = 200;
let unwritten: ReturnType<typeof setTimeout> | null = null;

/** Writes what was replaced to the browser's address. */
function write(): void {
  if (unwritten === null) return;
  clearTimeout(unwritten);
  unwritten = null;
  history.replaceState(null, "", path.peek() + search.peek());
}

/** Goes to an address of the page. */
export function go(address: string, way: Way = "push"): void {
  const from = path.peek();
  if (address === from + search.peek()) return;
  if (way === "push") {
    write();
    history.pushState(null, "", address);
  } else {
    unwritten ??= setTimeout(write, WRITE_MS);
  }
  const next = new URL(address, location.origin);
  set(next.pathname, next.search);
  if (path.peek() !== from) scrollTo(0, 0);
}

function set(toPath: string, toSearch: string): void {
  batch(() => {
    path.value = toPath;
    search.value = toSearch;
  });
}

/** Changes some of the query and leaves the rest; `null` takes a name out. */
export function change(query: Record<string, string | number | null>, way: Way): void {
  go(path.peek() + formatQuery({ ...parseQuery(search.peek()), ...query }), way);
}

/** Whether a click on a link is for the page itself, and not for a new tab or another place. */
function isOurs(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const target = link.target === "" || link.target === "_self";
  const inside = link.origin === location.origin && !link.pathname.startsWith("/api/");
  return plain && target && inside && !link.hasAttribute("download");
}

/** Follows links within the page and the back button. */
export function listen(): void {
  addEventListener("popstate", () => {
    if (unwritten !== null) clearTimeout(unwritten);
    unwritten = null;
    set(location.pathname, location.search);
  });
  addEventListener("pagehide", write);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (event.defaultPrevented || !(link instanceof HTMLAnchorElement) || !isOurs(event, link)) return;
    // A link within the document, as that past the navigation, is the browser's own.
    if (link.hash !== "" && link.pathname === location.pathname && link.search === location.search) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
