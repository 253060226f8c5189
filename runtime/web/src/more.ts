// The second script: see `later.tsx`.
import "./styles/dialogs.css";
import "./styles/jobs.css";

export { HelpDialog } from "./help";
export { JobPage } from "./pages/job";
export { JobsPage } from "./pages/jobs";
export { LaunchPage } from "./pages/launch";
export { CancelDialog, CommandsDialog, RerunDialog, ResumeDialog } from "./run/dialogs";
export { Events } from "./run/events";
export { Graph } from "./run/graph";
export { StepPanel } from "./run/step";
export { Steps } from "./run/steps";
export { Timeline } from "./run/timeline";
