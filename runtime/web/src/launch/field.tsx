// One argument of a form.
import { useId } from "preact/hooks";
import { Line } from "../parts/doc";
import type { Field } from "./form";

interface Props {
  field: Field;
  text: string;
  type: (text: string) => void;
  /** What is wrong with it, and what to do. */
  wrong: string | null;
  help: string | null;
}

export function FieldRow({ field, text, type, wrong, help }: Props) {
  const id = useId();
  const about = wrong === null ? `${id}-says` : `${id}-wrong ${id}-says`;
  return (
    <div class={wrong === null ? "field-row" : "field-row is-wrong"}>
      <label htmlFor={id}>
        <code class="strong">{field.name}</code>
        {field.required && <span class="soft"> required</span>}
      </label>
      <div>
        <Control field={field} text={text} type={type} id={id} about={about} wrong={wrong !== null} />
        {wrong !== null && (
          <p class="wrong" id={`${id}-wrong`}>
            {wrong}
            {help !== null && <span class="soft">{` ${help}`}</span>}
          </p>
        )}
        <p class="soft says" id={`${id}-says`}>
          <Line text={field.says} />
          {field.kind === "list" && " One a line."}
          {field.kind === "secret" && " It is given to the run alone, and recorded nowhere."}
          {field.preset !== null && text !== field.preset && (
            <button type="button" class="link" onClick={() => type(field.preset ?? "")}>
              back to the default
            </button>
          )}
        </p>
      </div>
    </div>
  );
}

interface ControlProps {
  field: Field;
  text: string;
  type: (text: string) => void;
  id: string;
  about: string;
  wrong: boolean;
}

function Control({ field, text, type, id, about, wrong }: ControlProps) {
  const common = { id, "aria-describedby": about, "aria-invalid": wrong, "aria-required": field.required };
  const typed = (event: { currentTarget: { value: string } }) => type(event.currentTarget.value);
  switch (field.kind) {
    case "flag":
      return (
        <input
          {...common}
          type="checkbox"
          checked={text === "true"}
          onChange={(event) => type(String(event.currentTarget.checked))}
        />
      );
    case "choice":
      return (
        <select {...common} value={text} onChange={typed}>
          {field.preset === null && <option value="">{field.required ? "choose one" : "none"}</option>}
          {field.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      );
    case "list":
      return (
        <textarea
          {...common}
          rows={Math.min(8, Math.max(2, text.split("\n").length))}
          spellcheck={false}
          value={text}
          onInput={typed}
        />
      );
    case "secret":
      return <input {...common} type="password" autoComplete="off" value={text} onInput={typed} />;
    default:
      return (
        <input
          {...common}
          type="text"
          autoComplete="off"
          spellcheck={false}
          inputMode={field.kind === "whole" ? "numeric" : field.kind === "number" ? "decimal" : "text"}
          placeholder={field.preset ?? field.hint}
          value={text}
          onInput={typed}
        />
      );
  }
}
