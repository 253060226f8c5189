export function JobPage({ job }: { job: string }) {
  return <h1>{job}</h1>;
}
