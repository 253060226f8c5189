import { render } from "preact";
import { listen } from "./address";
import { listenKeys } from "./keys";
import { Page } from "./page";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/pages.css";
import "./styles/run.css";
import { startTheme } from "./theme";

listen();
listenKeys();
startTheme();
const place = document.getElementById("page") as HTMLElement;
// What the server wrote for readers without scripts is replaced as a whole.
place.replaceChildren();
place.className = "is-drawn";
render(<Page />, place);
