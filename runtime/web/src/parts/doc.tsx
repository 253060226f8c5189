// A doc comment as text: its paragraphs, and its code between backticks.

/** The first paragraph, on one line. */
export function firstParagraph(doc: string): string {
  return (doc.trim().split(/\n\s*\n/)[0] ?? "").replaceAll("\n", " ");
}

export function Line({ text }: { text: string }) {
  return text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part));
}

export function Doc({ text }: { text: string }) {
  const paragraphs = text
    .trim()
    .split(/\n\s*\n/)
    .filter(Boolean);
  return (
    <div class="doc">
      {paragraphs.map((paragraph) => (
        <p key={paragraph}>
          <Line text={paragraph} />
        </p>
      ))}
    </div>
  );
}
