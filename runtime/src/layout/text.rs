//! How wide text will be: an estimate, as whoever draws has fonts of their own.

/// A size of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Of names: 14 pixels.
    Name,
    /// Of labels and tags: 12 pixels.
    Small,
}

impl Size {
    pub(crate) fn pixels(self) -> f64 {
        match self {
            Self::Name => 14.0,
            Self::Small => 12.0,
        }
    }
}

/// How wide a text is in a sans-serif font of the system: rather too wide than too narrow.
pub(crate) fn width(text: &str, size: Size) -> f64 {
    text.chars().map(em).sum::<f64>() * size.pixels()
}

/// The width of a character, in heights of the font.
fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.30,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | ' ' | '-' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '…' => 0.92,
        'A'..='Z' => 0.70,
        character if character.is_ascii() => 0.58,
        // Wide characters take a whole height; narrow letters of other scripts get room to spare.
        _ => 1.0,
    }
}

/// A text cut in its middle to fit `most` pixels: names differ at their ends.
pub(crate) fn cut(text: &str, size: Size, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let mut room = most - width("…", size);
    let (mut front, mut back) = (0, characters.len());
    while front < back {
        let at_front = front <= characters.len() - back;
        let next = if at_front { characters[front] } else { characters[back - 1] };
        room -= em(next) * size.pixels();
        if room < 0.0 {
            break;
        }
        if at_front {
            front += 1;
        } else {
            back -= 1;
        }
    }
    characters[..front].iter().chain(&['…']).chain(&characters[back..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_its_ends() {
        let long = "multiple_by_order.multiple_dynamic_values";
        let short = cut(long, Size::Name, 200.0);
        assert_eq!(short, "multiple_by_…namic_values");
        assert!(width(&short, Size::Name) <= 200.0);
        assert_eq!(cut("merge", Size::Name, 200.0), "merge");
        assert_eq!(cut("merge", Size::Name, 1.0), "…");
    }
}
