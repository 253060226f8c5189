//! Job arguments: what a flag, a config file and a form can give.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::define::ArgForm;

/// What a job can take as an argument: numbers, `char`, `bool` (a flag that stands alone), `String`,
/// `PathBuf`, `Duration` (`"500ms"`), [`Secret`](crate::Secret), an `Option` of these (may be left
/// out), a `Vec` of these (given any number of times), and enums without fields by
/// `#[derive(JobArg)]`.
#[diagnostic::on_unimplemented(
    message = "a job cannot take a `{Self}` as an argument",
    label = "cannot be read from a flag",
    note = "it can take numbers, `char`, `bool`, `String`, `PathBuf`, `Duration`, `Secret`, an `Option` or a `Vec` of these, and enums with `#[derive(fanfold::JobArg)]`"
)]
pub trait JobArg: Sized + Send + Sync + 'static {
    /// How it is written as a flag.
    const FORM: ArgForm = ArgForm::Value;
    /// The words that it may be; empty for any other type.
    const CHOICES: &'static [&'static str] = &[];

    /// Its value from the text given with its flag.
    ///
    /// # Errors
    /// What is wrong with the text, for people.
    fn from_text(text: &str) -> Result<Self, String>;

    /// Its value from all texts given with its flag.
    ///
    /// # Errors
    /// What is wrong with them, for people.
    fn from_texts(texts: &[String]) -> Result<Self, String> {
        match texts {
            [text] => Self::from_text(text),
            texts => Err(format!("expected one value, not {}", texts.len())),
        }
    }

    /// Its value from JSON: a config file or `--args`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    fn from_json(json: &Value) -> Result<Self, String>;

    /// Its value as text for people; [`from_text`](Self::from_text) reads it back.
    fn show(&self) -> String;

    /// Its value as JSON, which [`from_json`](Self::from_json) reads back as exactly this value: what a
    /// run records of its arguments. The text of [`show`](Self::show), where nothing else is said.
    fn to_json(&self) -> Value {
        Value::String(self.show())
    }
}

macro_rules! numbers {
    ($($number:ident)*: $from_json:path, $to_json:path) => {$(
        impl JobArg for $number {
            fn from_text(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error| format!("`{text}` is not a {}: {error}", stringify!($number)))
            }

            fn from_json(json: &Value) -> Result<Self, String> {
                $from_json(json)
            }

            fn show(&self) -> String {
                self.to_string()
            }

            fn to_json(&self) -> Value {
                $to_json(*self)
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize: by_serde, Value::from);
numbers!(u128 i128: long_from_json, long_to_json);
numbers!(f32 f64: float_from_json, float_to_json);

/// A whole number that JSON may be too narrow for.
fn long_to_json<T: TryInto<i64> + TryInto<u64> + Copy + ToString>(number: T) -> Value {
    if let Ok(small) = TryInto::<i64>::try_into(number) {
        return small.into();
    }
    TryInto::<u64>::try_into(number).map_or_else(|_| number.to_string().into(), Value::from)
}

fn long_from_json<T: JobArg + DeserializeOwned>(json: &Value) -> Result<T, String> {
    json.as_str().map_or_else(|| by_serde(json), T::from_text)
}

/// JSON has no numbers that are not finite.
fn float_to_json(number: impl Into<f64>) -> Value {
    let number = number.into();
    Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
}

fn float_from_json<T: JobArg + DeserializeOwned>(json: &Value) -> Result<T, String> {
    match json.as_str() {
        Some(text @ ("NaN" | "inf" | "-inf")) => T::from_text(text),
        _ => by_serde(json),
    }
}

fn by_serde<T: DeserializeOwned>(json: &Value) -> Result<T, String> {
    T::deserialize(json).map_err(|error| error.to_string())
}

impl JobArg for char {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("`{text}` is not one character"))
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        by_serde(json)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl JobArg for bool {
    const FORM: ArgForm = ArgForm::Switch;

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("`{text}` is not `true` or `false`"))
    }

    fn from_texts(texts: &[String]) -> Result<Self, String> {
        texts.last().map_or(Ok(true), |text| Self::from_text(text))
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        by_serde(json)
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn to_json(&self) -> Value {
        (*self).into()
    }
}

impl JobArg for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        by_serde(json)
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl JobArg for PathBuf {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.into())
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        match json {
            // One that is no text: see `to_json`.
            Value::Object(_) => by_serde::<OsString>(json).map(Self::from),
            _ => by_serde(json),
        }
    }

    fn show(&self) -> String {
        self.display().to_string()
    }

    /// One that is no text is written as the system's own units, which JSON can hold.
    fn to_json(&self) -> Value {
        match self.to_str() {
            Some(text) => text.into(),
            None => serde_json::to_value(self.as_os_str()).unwrap_or_else(|_| self.show().into()),
        }
    }
}

impl JobArg for Duration {
    fn from_text(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map_err(|_| format!("`{text}` is not a length of time such as `500ms`"))
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        match json.as_str() {
            Some(text) => Self::from_text(text),
            None => Err("expected a length of time in quotes, such as \"500ms\"".into()),
        }
    }

    fn show(&self) -> String {
        humantime::format_duration(*self).to_string()
    }
}

impl<T: JobArg> JobArg for Option<T> {
    /// A secret that may be left out is as secret as any other.
    const FORM: ArgForm = match T::FORM {
        ArgForm::Secret => ArgForm::Secret,
        _ => ArgForm::Optional,
    };
    const CHOICES: &'static [&'static str] = T::CHOICES;

    fn from_text(text: &str) -> Result<Self, String> {
        T::from_text(text).map(Some)
    }

    fn from_texts(texts: &[String]) -> Result<Self, String> {
        if texts.is_empty() { Ok(None) } else { T::from_texts(texts).map(Some) }
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), T::show)
    }

    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }
}

impl<T: JobArg> JobArg for Vec<T> {
    const FORM: ArgForm = match T::FORM {
        ArgForm::Secret => ArgForm::Secret,
        _ => ArgForm::Repeated,
    };
    const CHOICES: &'static [&'static str] = T::CHOICES;

    fn from_text(text: &str) -> Result<Self, String> {
        T::from_text(text).map(|one| vec![one])
    }

    fn from_texts(texts: &[String]) -> Result<Self, String> {
        texts.iter().map(|text| T::from_text(text)).collect()
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        let list = json.as_array().ok_or("expected a list")?;
        list.iter().map(T::from_json).collect()
    }

    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(", ")
    }

    fn to_json(&self) -> Value {
        match T::FORM {
            // Not even how many there are.
            ArgForm::Secret => Value::Null,
            _ => self.iter().map(T::to_json).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::Secret;

    /// What is recorded of an argument is text in between.
    fn read_back<T: JobArg>(value: &T) -> T {
        let text = value.to_json().to_string();
        T::from_json(&serde_json::from_str(&text).unwrap()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn survive<T: JobArg + Debug + PartialEq>(values: impl IntoIterator<Item = T>) {
        for value in values {
            assert_eq!(read_back(&value), value, "{}", value.to_json());
        }
    }

    #[test]
    fn whole_numbers_survive_as_json() {
        survive([u8::MIN, u8::MAX]);
        survive([u16::MAX]);
        survive([u32::MAX]);
        survive([u64::MAX]);
        survive([usize::MAX]);
        survive([i8::MIN, i8::MAX]);
        survive([i16::MIN]);
        survive([i32::MIN]);
        survive([i64::MIN, -1, 0, i64::MAX]);
        survive([isize::MIN]);
        survive([u128::MAX, 0, u64::MAX.into(), u128::from(u64::MAX) + 1]);
        survive([i128::MIN, i128::MAX, -1, 0, i64::MIN.into(), u64::MAX.into()]);
        assert_eq!((7_u128.to_json(), u128::MAX.to_json()), (7.into(), u128::MAX.to_string().into()));
    }

    #[test]
    fn floats_survive_as_json_whether_finite_or_not() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let doubles = (0..10_000).map(|_| f64::from_bits(random.u64(..)));
        for value in doubles.chain([0.0, -0.0, 0.1, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, f64::NAN]) {
            let read = read_back(&value);
            assert!(
                read.to_bits() == value.to_bits() || read.is_nan() && value.is_nan(),
                "{value}, seed {seed}"
            );
        }
        let mut random = fastrand::Rng::with_seed(seed);
        for value in (0..10_000).map(|_| f32::from_bits(random.u32(..))).chain([f32::NEG_INFINITY, 0.1]) {
            let read = read_back(&value);
            assert!(
                read.to_bits() == value.to_bits() || read.is_nan() && value.is_nan(),
                "{value}, seed {seed}"
            );
        }
        assert!(f64::from_json(&"1.5".into()).is_err(), "a number in quotes is a mistake");
    }

    #[test]
    fn texts_paths_and_times_survive_as_json() {
        survive(['a', '\u{0}', '\u{10ffff}', '"']);
        survive([true, false]);
        survive(["".to_owned(), "a\"\\\u{1b}é".to_owned()]);
        survive([PathBuf::new(), "a/b c".into()]);
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..1_000 {
            let time = Duration::new(random.u64(..) >> random.u32(1..64), random.u32(..1_000_000_000));
            assert_eq!(read_back(&time), time, "seed {seed}");
        }
        survive([Duration::ZERO, Duration::from_nanos(1)]);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_survives_as_json() {
        use std::os::unix::ffi::OsStringExt as _;
        survive([PathBuf::from(OsString::from_vec(vec![b'a', 0xff, b'/', 0xfe]))]);
    }

    #[test]
    fn options_and_lists_survive_as_json() {
        survive([None, Some(7_u8)]);
        survive([None, Some(f64::INFINITY)]);
        survive([vec![], vec!["a".to_owned(), "b, c".to_owned()]]);
        survive([vec![Some(1), None]]);
        survive([Some(vec![u128::MAX])]);
    }

    #[test]
    fn a_secret_is_null_as_json() {
        let secret = || Secret::new("hunter2".to_owned());
        let all = [
            secret().to_json(),
            Some(secret()).to_json(),
            None::<Secret<String>>.to_json(),
            vec![secret(), secret()].to_json(),
            vec![Some(secret())].to_json(),
            Some(vec![secret()]).to_json(),
        ];
        assert!(all.iter().all(Value::is_null), "{all:?}");
    }
}
