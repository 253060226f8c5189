//! stub
use crate::shape::Shape;
/// x
#[derive(Debug, Clone)]
pub struct Change(String);
impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
/// x
pub fn changes(a: &Shape, b: &Shape) -> Vec<Change> {
    let mut a = a.clone();
    for (x, y) in a.nodes.iter_mut().zip(&b.nodes) {
        (x.op, x.retries, x.pool, x.tags) = (y.op.clone(), y.retries, y.pool.clone(), y.tags.clone());
    }
    if a == *b { vec![] } else { vec![Change("it has other ops".into())] }
}
