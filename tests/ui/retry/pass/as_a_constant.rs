const PATIENT: fanfold::RetryPolicy = fanfold::retry!(max = 9, delay = "1s", backoff = "exponential", max_delay = "1h");

fn main() {
    assert_eq!(PATIENT.max, 9);
    assert_eq!(fanfold::retry!(max = 1), fanfold::RetryPolicy::new(1));
}
