//! Values with their mapping keys, in yield order: what `collect_keyed` gives.

use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::Key;

/// The values of a dynamic output with their mapping keys, in yield order.
///
/// As JSON it is an object. It is cheap to clone: the values are shared.
///
/// ```
/// use fanfold::{Key, Keyed};
///
/// let ages: Keyed<u8> = [("ada", 36), ("alan", 41)].into_iter().collect();
/// assert_eq!(ages.get("alan"), Some(&41));
/// assert_eq!(ages.keys().next(), Some(&Key::new("ada")));
/// assert_eq!(serde_json::to_string(&ages).unwrap(), r#"{"ada":36,"alan":41}"#);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Keyed<T> {
    entries: Vec<(Key, Arc<T>)>,
}

impl<T> Keyed<T> {
    pub(crate) fn from_shared(entries: impl IntoIterator<Item = (Key, Arc<T>)>) -> Self {
        Self { entries: entries.into_iter().collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value under the key that `key` displays as. It looks through the list.
    pub fn get(&self, key: impl std::fmt::Display) -> Option<&T> {
        let key = Key::new(key);
        self.iter().find(|(known, _)| **known == key).map(|(_, value)| value)
    }

    /// Keys and values, in yield order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &T)> {
        self.entries.iter().map(|(key, value)| (key, &**value))
    }

    /// The keys, in yield order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The values, in yield order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> {
        self.entries.iter().map(|(_, value)| &**value)
    }
}

impl<T> Clone for Keyed<T> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone() }
    }
}

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: std::fmt::Display, T> FromIterator<(K, T)> for Keyed<T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(entries: I) -> Self {
        Self::from_shared(entries.into_iter().map(|(key, value)| (Key::new(key), Arc::new(value))))
    }
}

impl<T> IntoIterator for Keyed<T> {
    type Item = (Key, Arc<T>);
    type IntoIter = std::vec::IntoIter<(Key, Arc<T>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<T: Serialize> Serialize for Keyed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Keyed<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keyed<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<Key, T>()? {
                    entries.push((key, Arc::new(value)));
                }
                Ok(Keyed { entries })
            }
        }

        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
