// The second script: see `later.tsx`.
import "./styles/dialogs.css";
import "./styles/jobs.css";
import "./styles/runs-tools.css";

export { HelpDialog } from "./help";
export { JobPage } from "./pages/job";
export { JobsPage } from "./pages/jobs";
export { LaunchPage } from "./pages/launch";
export { Filters, NoRuns, Strip } from "./pages/runs-tools";
export { CancelDialog, CommandsDialog, RerunDialog, ResumeDialog } from "./run/dialogs";
export { Events } from "./run/events";
export { Graph } from "./run/graph";
export { Resizer } from "./run/resizer";
export { StepPanel } from "./run/step";
export { Steps } from "./run/steps";
export { TimelineHands, ZoomButtons } from "./run/timeline-hands";
