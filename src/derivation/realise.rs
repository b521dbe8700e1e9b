//! Realising recipes: in parallel, and only those whose outputs are not known.

use rayon::prelude::*;

use super::Recipe;

/// How a task's outputs came.
#[derive(Debug)]
pub enum Built<O> {
    /// They were known by the recipe's digest.
    Known(O),
    /// They were built now.
    Fresh(O),
}

impl<O> Built<O> {
    /// The outputs, however they came.
    pub fn into_inner(self) -> O {
        match self {
            Built::Known(outputs) | Built::Fresh(outputs) => outputs,
        }
    }
}

/// A task that failed, with its place among the tasks.
#[derive(Debug)]
pub struct Failure<E> {
    /// Index of the task.
    pub task: usize,
    /// Why.
    pub error: E,
}

/// Realises every task: `known` answers from the cache, `build` builds.
///
/// Runs on all threads of the current pool; the order of the results is that of the tasks, whatever
/// the threads do. Every failure is returned, not only the first.
#[expect(clippy::type_complexity, reason = "the pair is taken apart at once")]
pub fn realise<T: Sync, O: Send, E: Send>(
    tasks: &[T],
    recipe: impl Fn(&T) -> Recipe + Sync,
    known: impl Fn(&Recipe) -> Result<Option<O>, E> + Sync,
    build: impl Fn(&T, &Recipe) -> Result<O, E> + Sync,
) -> Result<Vec<(Recipe, Built<O>)>, Vec<Failure<E>>> {
    let one = |task: &T| {
        let recipe = recipe(task);
        if let Some(outputs) = known(&recipe)? {
            return Ok((recipe, Built::Known(outputs)));
        }
        let outputs = build(task, &recipe)?;
        Ok((recipe, Built::Fresh(outputs)))
    };
    let results: Vec<Result<_, E>> = tasks.par_iter().map(one).collect();
    let mut done = Vec::with_capacity(results.len());
    let mut failures = Vec::new();
    for (task, result) in results.into_iter().enumerate() {
        match result {
            Ok(result) => done.push(result),
            Err(error) => failures.push(Failure { task, error }),
        }
    }
    if failures.is_empty() { Ok(done) } else { Err(failures) }
}
