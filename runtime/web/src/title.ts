import { useEffect } from "preact/hooks";

/** Sets the title of the window while the page is there. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · fanfold`;
  }, [title]);
}
