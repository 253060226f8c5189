export function LaunchPage({ job }: { job: string }) {
  return <h1>{job}</h1>;
}
