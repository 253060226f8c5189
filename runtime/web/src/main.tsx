import { render } from "preact";

render(<p>fanfold</p>, document.getElementById("page") as HTMLElement);
