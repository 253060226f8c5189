//! 523 orders are looked up over HTTP, in chunks of 50; now and then a call times out.
//!
//! The service is real, on a port of this machine, and so are the timeouts: about 0.4 % of its
//! calls never get an answer. Which ones is fixed by the order and by how often it was asked for,
//! so every run sees the same. A chunk with a timeout is tried again, at most twice.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use fanfold::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Of a thousand calls, those that the service leaves without an answer.
const UNANSWERED_PER_MILLE: u64 = 4;

/// Fixes which calls those are: with this seed, the first of one order in two of the chunks.
const SEED: u64 = 9;

/// How long the client waits: far longer than an answer takes, short enough to watch.
const TIMEOUT: Duration = Duration::from_millis(500);

/// An order as the service knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u32,
    customer: String,
    cents: u64,
}

/// What all orders come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Summary {
    orders: usize,
    first: u32,
    last: u32,
    cents: u64,
}

/// Why a chunk could not be looked up.
#[derive(Debug, thiserror::Error)]
#[error("order {id}")]
struct LookUpError {
    id: u32,
    source: ureq::Error,
}

/// The service and a client that waits no longer than [`TIMEOUT`] for it.
struct OrderService {
    address: SocketAddr,
    client: ureq::Agent,
    server: JoinHandle<io::Result<()>>,
}

impl OrderService {
    fn look_up(&self, id: u32) -> Result<Order, ureq::Error> {
        let mut answer = self.client.get(format!("http://{}/orders/{id}", self.address)).call()?;
        let body = answer.body_mut().read_to_string()?;
        Ok(serde_json::from_str(&body).map_err(io::Error::from)?)
    }
}

impl Drop for OrderService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Starts the service on a free port of this machine.
#[resource]
async fn order_service() -> io::Result<OrderService> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route("/orders/{id}", get(answer)).with_state(Calls::default());
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let client = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
    Ok(OrderService { address, client, server })
}

/// How often each order was asked for.
type Calls = Arc<Mutex<HashMap<u32, u64>>>;

/// The service's side of a call.
async fn answer(State(calls): State<Calls>, Path(id): Path<u32>) -> Json<Order> {
    let call = {
        let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        let call = calls.entry(id).or_default();
        *call += 1;
        *call
    };
    if draw(id, call) < UNANSWERED_PER_MILLE {
        // The client gives up, closes the connection, and the server drops this call.
        std::future::pending::<()>().await;
    }
    Json(order(id))
}

/// A number below 1000 that looks random and is the same at each run.
fn draw(id: u32, call: u64) -> u64 {
    fastrand::Rng::with_seed(SEED ^ (u64::from(id) << 32 | call)).u64(..1000)
}

/// What the service knows of an order.
fn order(id: u32) -> Order {
    let customer = ["Ada", "Blaise", "Charles", "Dorothy"][id as usize % 4].to_owned();
    Order { id, customer, cents: 500 + u64::from(id) * 37 % 9_500 }
}

/// Gives the ids of all orders in chunks.
#[op(dynamic_out(by_index))]
fn order_ids(orders: u32, chunk: usize) -> Vec<Vec<u32>> {
    let ids: Vec<u32> = (1..=orders).collect();
    ids.chunks(chunk.max(1)).map(<[u32]>::to_vec).collect()
}

/// Looks up each order of a chunk.
#[op(retry(max = 2, delay = "100ms", backoff = "exponential"))]
fn look_up(ids: &[u32], #[resource] service: &OrderService) -> Result<Vec<Order>, LookUpError> {
    let orders = ids.iter().map(|&id| service.look_up(id).map_err(|source| LookUpError { id, source }));
    orders.collect()
}

/// Puts the chunks together, in the order of the ids.
#[op]
fn concat(chunks: Vec<Vec<Order>>) -> Vec<Order> {
    chunks.concat()
}

/// Adds the orders up.
#[op]
fn summarize(orders: &[Order]) -> Summary {
    Summary {
        orders: orders.len(),
        first: orders.first().map_or(0, |order| order.id),
        last: orders.last().map_or(0, |order| order.id),
        cents: orders.iter().map(|order| order.cents).sum(),
    }
}

/// Looks up orders over HTTP in chunks, trying a chunk again when a call times out.
#[job(max_concurrent = 4)]
fn enrich(
    /// How many orders there are.
    #[arg(default = 523)]
    orders: Out<u32>,
    /// Orders in a chunk.
    #[arg(default = 50)]
    chunk: Out<usize>,
) -> Out<Summary> {
    let chunks = order_ids(orders, chunk).map(look_up);
    summarize(concat(chunks.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eleven_chunks_of_fifty_or_less() {
        let chunks = order_ids::call(523, 50);
        assert_eq!(chunks.len(), 11);
        assert_eq!(chunks[10].len(), 23);
    }

    #[test]
    fn one_order_in_two_of_the_chunks_is_first_left_without_an_answer() {
        let unanswered = |id: &u32| draw(*id, 1) < UNANSWERED_PER_MILLE;
        assert_eq!((1..=523).filter(unanswered).collect::<Vec<_>>(), [323, 440]);
    }

    #[tokio::test]
    async fn all_orders_come_back_in_order() -> Result<(), fanfold::RunError> {
        let run = enrich::job().args((523, 50)).run_in_memory().await?;
        assert_eq!(run.step("concat"), Some((1..=523).map(order).collect::<Vec<_>>()));
        Ok(())
    }
}
