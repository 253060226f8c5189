//! Job arguments: what a flag, a config file and a form can give.

use std::path::PathBuf;
use std::time::Duration;

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
    fn from_json(json: &serde_json::Value) -> Result<Self, String>;

    /// Its value as text for people; [`from_text`](Self::from_text) reads it back.
    fn show(&self) -> String;
}

macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl JobArg for $number {
            fn from_text(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error| format!("`{text}` is not a {}: {error}", stringify!($number)))
            }

            fn from_json(json: &serde_json::Value) -> Result<Self, String> {
                by_serde(json)
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

fn by_serde<T: serde::de::DeserializeOwned>(json: &serde_json::Value) -> Result<T, String> {
    T::deserialize(json).map_err(|error| error.to_string())
}

impl JobArg for char {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("`{text}` is not one character"))
    }

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
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

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        by_serde(json)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl JobArg for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
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

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        by_serde(json)
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl JobArg for Duration {
    fn from_text(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map_err(|_| format!("`{text}` is not a length of time such as `500ms`"))
    }

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
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

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), T::show)
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

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        let list = json.as_array().ok_or("expected a list")?;
        list.iter().map(T::from_json).collect()
    }

    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(", ")
    }
}
