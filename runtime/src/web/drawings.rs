//! The drawings that were asked for last: a shape is laid out once, however many runs and pages show it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::api::types::GraphView;
use crate::shape::Shape;

/// How many are kept: as many jobs as somebody looks at in one sitting. The largest takes a few megabytes.
const KEPT: usize = 16;

/// Drawings, with the shapes that they are of; what was asked for last comes last.
#[derive(Debug, Default)]
pub(crate) struct Drawings(Mutex<VecDeque<(Shape, Arc<GraphView>)>>);

impl Drawings {
    /// The drawing of a shape.
    pub(crate) fn of(&self, shape: &Shape) -> GraphView {
        GraphView::clone(&self.kept(shape))
    }

    fn kept(&self, shape: &Shape) -> Arc<GraphView> {
        if let Some(view) = self.find(shape) {
            return view;
        }
        // Nobody waits while it is laid out; two who ask at once do it twice.
        let view: Arc<GraphView> = Arc::new(shape.drawing().into());
        let mut all = self.lock();
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back((shape.clone(), Arc::clone(&view)));
        view
    }

    fn find(&self, shape: &Shape) -> Option<Arc<GraphView>> {
        let mut all = self.lock();
        let place = all.iter().position(|(known, _)| known == shape)?;
        let found = all.remove(place)?;
        let view = Arc::clone(&found.1);
        all.push_back(found);
        Some(view)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Shape, Arc<GraphView>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::shape;

    fn named(job: &str) -> Shape {
        Shape { job: job.to_owned(), ..shape() }
    }

    #[test]
    fn a_shape_is_laid_out_once_and_those_not_asked_for_longest_go() {
        let drawings = Drawings::default();
        let first = drawings.kept(&shape());
        assert!(Arc::ptr_eq(&first, &drawings.kept(&shape())));
        for other in 1..KEPT {
            drawings.kept(&named(&other.to_string()));
        }
        assert!(Arc::ptr_eq(&first, &drawings.kept(&shape())), "all have room");
        drawings.kept(&named("one too many"));
        assert_eq!(drawings.lock().len(), KEPT);
        assert!(Arc::ptr_eq(&first, &drawings.kept(&shape())));
        assert!(drawings.find(&named("1")).is_none());
    }

    #[test]
    fn another_graph_has_another_drawing() {
        let drawings = Drawings::default();
        let mut other = shape();
        other.nodes[0].name = "another".into();
        let name = |shape: &Shape| drawings.of(shape).nodes[0].name.clone();
        assert_eq!([name(&shape()), name(&other), name(&shape())], ["root", "another", "root"]);
    }
}
