//! Mapping keys: which are legal, and how they stand in a step's name (§2).

/// Longest key in bytes (§2.1).
pub const LONGEST: usize = 255;

/// Whether an emitter may yield `key` at all (§2.1); uniqueness is another matter.
pub fn legal(key: &str) -> bool {
    !key.is_empty() && key.len() <= LONGEST && !key.chars().any(char::is_control)
}

/// `key` as a part of a step's name: `[`, `]` and `\` are escaped with `\` (§2.1).
pub fn bracketed(key: &str) -> String {
    let mut part = String::from("[");
    for char in key.chars() {
        if matches!(char, '[' | ']' | '\\') {
            part.push('\\');
        }
        part.push(char);
    }
    part.push(']');
    part
}

/// Whether `key` is one that careless code would take apart.
pub fn hostile(key: &str) -> bool {
    key.len() == LONGEST || !key.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}
