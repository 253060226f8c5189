use fanfold::prelude::*;

#[derive(Debug, PartialEq, JobArg)]
enum Order {
    DepthFirst,
    BreadthFirst,
}

fn main() {
    assert_eq!(Order::CHOICES, ["depth-first", "breadth-first"]);
    assert_eq!(Order::from_text("breadth-first"), Ok(Order::BreadthFirst));
    assert_eq!(Order::DepthFirst.show(), "depth-first");
    assert_eq!(Order::from_json(&Order::DepthFirst.to_json()), Ok(Order::DepthFirst));
}
