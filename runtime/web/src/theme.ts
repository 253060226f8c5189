// Light or dark: as the system has it, or as chosen here; and colours for what is drawn on a canvas.
import { computed, effect, signal } from "@preact/signals";

type Theme = "system" | "light" | "dark";

const KEY = "fanfold.theme";

/** What was chosen. */
export const theme = signal<Theme>(stored());
const systemDark = signal(false);

/** Whether it is dark now. */
export const dark = computed(() => theme.value === "dark" || (theme.value === "system" && systemDark.value));

function stored(): Theme {
  try {
    const said = localStorage.getItem(KEY);
    return said === "light" || said === "dark" ? said : "system";
  } catch {
    return "system";
  }
}

/** Follows the system, and keeps what is chosen. */
export function startTheme(): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  systemDark.value = system.matches;
  system.addEventListener("change", (event) => {
    systemDark.value = event.matches;
  });
  effect(() => {
    const chosen = theme.value;
    document.documentElement.dataset.theme = chosen;
    try {
      if (chosen === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, chosen);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
}

export function nextTheme(): void {
  theme.value = dark.peek() ? "light" : "dark";
}

let probe: HTMLElement | null = null;

/** A colour of the sheet as a canvas takes it: `colour("failed")`. Read `dark` to know when to ask again. */
export function colour(name: string): string {
  if (probe === null) {
    probe = document.createElement("i");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
