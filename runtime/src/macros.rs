//! The macros, documented where users find them.

/// Makes a function an op: one kind of step, which a job's body puts into a graph by calling it.
///
/// ```
/// use fanfold::prelude::*;
///
/// /// One piece a letter.
/// #[op(dynamic_out)]
/// fn load_pieces(from: char, to: char) -> impl Iterator<Item = DynamicOutput<String>> {
///     (from..=to).map(|letter| DynamicOutput::new(letter, letter.to_string()))
/// }
///
/// #[op(retry(max = 3, delay = "500ms", backoff = "exponential"), timeout = "30s")]
/// fn compute_piece(piece: &str) -> Result<String, std::io::Error> {
///     Ok(piece.to_uppercase())
/// }
///
/// // Under its name with `::call`, an op is the function that was written.
/// assert_eq!(compute_piece::call("a").unwrap(), "A");
/// assert_eq!(load_pieces::call('a', 'c').count(), 3);
/// ```
///
/// Inside a job, `compute_piece(x)` gives an [`Out<String>`](crate::Out) and `load_pieces(a, b)` a
/// [`DynamicOut<String>`](crate::DynamicOut): handles for values that are there when the job runs.
///
/// # What it takes
/// - `T`: the value for its own, which needs `Clone`; `&T` and `Arc<T>` share it and do not.
///   `&str`, `&[T]` and `&Path` read `String`, `Vec<T>` and `PathBuf`.
/// - `Option<T>`: an input that may be skipped. `Vec<T>`, `&[T]`, `Vec<Arc<T>>`: a list, collected or
///   written in the job.
/// - `ctx: &OpContext`: the step that it runs as. `#[resource] db: &Db` or `Arc<Db>`: see
///   [`resource`](macro@crate::resource).
/// - `#[transient] value: &T`: a value that is never recorded and need not be serialisable.
///
/// # What it gives
/// A value, or nothing; inside a `Result` whose error is any type with `Display` and `Debug`. Values
/// are `Serialize + DeserializeOwned + Send + Sync + 'static`. The function may be `async`.
///
/// # Options
/// - `dynamic_out`: it gives a number of keyed items known only at run time, as
///   `Vec<DynamicOutput<T>>`, `impl Iterator<Item = DynamicOutput<T>>`, the same boxed, or
///   `impl Stream<Item = DynamicOutput<T>>`; each item, and the whole, may be a `Result`.
///   `dynamic_out(by_index)` and `dynamic_out(key = |item| item.id)` make the keys of plain items.
/// - `streaming = false`: items start nothing before the op has succeeded.
/// - `outputs`: it gives several outputs, see [`Outputs`](macro@crate::Outputs).
/// - `optional`: it returns an `Option`, and `None` skips what reads it.
/// - `retry(max = 3, delay = "500ms", backoff = "none" | "linear" | "exponential",
///   jitter = "none" | "full" | "plus_minus", max_delay = "1m")`.
/// - `timeout = "30s"`, `priority = 5`, `pool = "api"`, `tags(team = "data")`, `name = "upper"`.
/// - `transient`: its values are passed on and never recorded.
pub use fanfold_macros::op;

/// Makes a function a job: its body is run once, before anything else, and says how ops fit together.
///
/// ```
/// use fanfold::prelude::*;
///
/// #[op(dynamic_out(by_index))]
/// fn numbers(count: u64) -> Vec<u64> {
///     (1..=count).collect()
/// }
///
/// #[op]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// #[op]
/// fn total(squares: &[u64]) -> u64 {
///     squares.iter().sum()
/// }
///
/// /// The sum of the first squares.
/// #[job(max_concurrent = 4)]
/// fn squares(#[arg(default = 10)] count: Out<u64>) -> Out<u64> {
///     total(numbers(count).map(square).collect())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), fanfold::RunError> {
/// let run = squares::job().args((3,)).run_in_memory().await?;
/// assert_eq!(run.output(), 14);
/// # Ok(())
/// # }
/// ```
///
/// Arguments are `Out<T>` where `T` is a [`JobArg`](trait@crate::JobArg): they are typed flags of the
/// binary and keys of its config file, and doc comments are their help. `#[arg(default = 10)]` gives a
/// value of type `T` for when none is given. A job returns `Out<T>`, [`Done`](crate::Done), a tuple of
/// these, or nothing.
///
/// # Options
/// - `max_concurrent = 4`, `order = "depth_first" | "breadth_first"`, `fail_fast`.
/// - `pools(api = 3, web(max = 8, rate = "10/s"))`: the limits of the pools that ops name.
/// - `tag_limits(team(data = 3))`: how many steps with the tag `team = "data"` run at once.
/// - `retry(…)`: for ops that have no policy of their own.
/// - `on_success = notify`, `on_failure = notify`: a `fn(&RunReport)`, `async` or not.
/// - `name = "nightly"`.
pub use fanfold_macros::job;

/// Names the steps of a function over handles under it: `clean.strip`, `clean.lower`.
///
/// The function is otherwise ordinary: it takes and gives any handles. For a parameter that may also
/// be a constant, write `impl Input<T>`, with `+ Copy` if it is used twice.
///
/// ```
/// use fanfold::prelude::*;
///
/// #[op]
/// fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// #[graph]
/// fn add_twice(n: Out<i64>, step: impl Input<i64> + Copy) -> Out<i64> {
///     add(add(n, step), step)
/// }
///
/// #[job]
/// fn adding(n: Out<i64>) -> Out<i64> {
///     add_twice(n, 5)
/// }
///
/// let graph = adding::job().graph().unwrap();
/// let names: Vec<_> = graph.nodes.iter().map(|node| &*node.name).collect();
/// assert_eq!(names, ["add_twice.add", "add_twice.add_2"]);
/// ```
pub use fanfold_macros::graph;

/// Makes a function build something that ops share: a connection, a client, a model.
///
/// It is called once in a process, before the first job that needs it runs, and what it built is
/// dropped at the end, last built first. It may be `async`, may return a `Result`, and takes other
/// resources as `&T` or `Arc<T>`. An op takes it by its type.
///
/// ```
/// use fanfold::prelude::*;
///
/// struct Db {
///     url: String,
/// }
///
/// #[resource]
/// async fn db() -> Result<Db, std::io::Error> {
///     Ok(Db { url: "db.example".into() })
/// }
///
/// #[op]
/// fn store(#[resource] db: &Db, row: String) -> String {
///     format!("{row} in {}", db.url)
/// }
///
/// let test = Db { url: "a test".into() };
/// assert_eq!(store::call(&test, "1".into()), "1 in a test");
/// ```
pub use fanfold_macros::resource;

/// A retry policy, in the grammar of `#[op(retry(…))]`; a constant expression.
///
/// ```
/// use std::time::Duration;
///
/// let policy = fanfold::retry!(max = 3, delay = "500ms", backoff = "exponential");
/// assert_eq!(policy.wait(2, 0.0), Duration::from_millis(1500));
/// ```
pub use fanfold_macros::retry;

/// The outputs of an op that gives several, by name: a struct whose fields are values or
/// [`Dynamic`](crate::Dynamic) items.
///
/// For `Split` it makes `SplitOutputs`, the handles that a call gives, and `SplitItem`, an enum for
/// ops that yield their outputs as they come. An output that may give nothing is
/// `Option<Dynamic<T>>`, or `#[output(optional)] count: Option<T>`.
///
/// ```
/// use fanfold::prelude::*;
///
/// #[derive(Outputs)]
/// struct Split {
///     words: Dynamic<String>,
///     count: usize,
/// }
///
/// #[op(outputs)]
/// fn split(text: &str) -> Split {
///     let words: Dynamic<_> = text.split(' ').map(|word| DynamicOutput::new(word, word.to_string())).collect();
///     Split { count: words.len(), words }
/// }
///
/// #[op(outputs)]
/// fn split_slowly(text: &str) -> impl Iterator<Item = SplitItem> {
///     let words = text.split(' ').map(|word| SplitItem::Words(DynamicOutput::new(word, word.to_string())));
///     words.chain([SplitItem::Count(text.split(' ').count())])
/// }
///
/// #[op]
/// fn shout(word: String) -> String {
///     word.to_uppercase()
/// }
///
/// #[job]
/// fn splitting(text: Out<String>) -> (Out<Vec<String>>, Out<usize>) {
///     let outputs = split(text);
///     let (words, _count) = split_slowly(text).into();
///     (words.map(shout).collect(), outputs.count)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), fanfold::RunError> {
/// let run = splitting::job().args(("a b".into(),)).run_in_memory().await?;
/// assert_eq!(run.output(), (vec!["A".to_string(), "B".to_string()], 2));
/// # Ok(())
/// # }
/// ```
pub use fanfold_macros::Outputs;

/// Lets an enum without fields be an argument of a job: `--mode very-slow`.
///
/// ```
/// use fanfold::JobArg;
///
/// #[derive(Debug, PartialEq, JobArg)]
/// enum Mode {
///     Quick,
///     VerySlow,
/// }
///
/// assert_eq!(Mode::from_text("very-slow"), Ok(Mode::VerySlow));
/// ```
pub use fanfold_macros::JobArg;
