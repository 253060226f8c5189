//! From text to [`Expr`]: one pass, and the first mistake with its place.

use std::ops::Range;

use crate::key::Key;

use super::expr::is_special;
use super::{Expr, Mistake, Reach, SelectError, StateName, Target, Term};

impl std::str::FromStr for Expr {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let mut reader = Reader { text, at: 0 };
        let mut terms = Vec::new();
        reader.skip_separators();
        while reader.peek().is_some() {
            let start = reader.at;
            let term = reader.term()?;
            terms.push((term, start..reader.at));
            reader.end_of_term()?;
            reader.skip_separators();
        }
        if terms.is_empty() {
            return Err(reader.error(0..text.len(), Mistake::Empty));
        }
        Ok(Self { text: text.to_owned(), terms })
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// What a name ended in.
struct Name {
    text: String,
    at: Range<usize>,
    /// Whether it ended with a `.` that was not escaped: then `*` names a sub-graph.
    dotted: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn error(&self, at: Range<usize>, mistake: Mistake) -> SelectError {
        SelectError { text: self.text.to_owned(), at, mistake }
    }

    /// An error about the character that comes next.
    fn here(&self, mistake: Mistake) -> SelectError {
        let length = self.peek().map_or(0, char::len_utf8);
        self.error(self.at..self.at + length, mistake)
    }

    fn skip_separators(&mut self) {
        while self.peek().is_some_and(is_separator) {
            self.take();
        }
    }

    fn term(&mut self) -> Result<Term, SelectError> {
        let before = self.reach()?;
        let target = self.target()?;
        let after = self.reach()?;
        Ok(Term { before, target, after })
    }

    fn reach(&mut self) -> Result<Reach, SelectError> {
        let reach = match self.peek() {
            Some('+') => Reach::Direct,
            Some('*') => Reach::All,
            _ => return Ok(Reach::Nothing),
        };
        self.take();
        if matches!(self.peek(), Some('+' | '*')) {
            return Err(self.here(Mistake::Twice));
        }
        Ok(reach)
    }

    fn target(&mut self) -> Result<Target, SelectError> {
        let name = self.name()?;
        if self.peek() == Some(':') {
            return self.state(name);
        }
        if name.dotted && self.peek() == Some('*') {
            self.take();
            let graph = name.text[..name.text.len() - 1].into();
            return Ok(Target::Graph { graph, keys: self.keys()? });
        }
        Ok(Target::Steps { op: name.text.into(), keys: self.keys()? })
    }

    fn name(&mut self) -> Result<Name, SelectError> {
        let start = self.at;
        let (mut text, mut dotted) = (String::new(), false);
        while let Some(character) = self.peek() {
            if character == '\\' {
                text.push(self.escaped(is_special)?);
                dotted = false;
            } else if is_special(character) {
                break;
            } else {
                dotted = character == '.';
                text.push(character);
                self.take();
            }
        }
        let dotted = dotted && text.len() > 1;
        if text.is_empty() {
            let mistake = if self.peek() == Some(']') { Mistake::Unopened } else { Mistake::NoName };
            return Err(self.here(mistake));
        }
        Ok(Name { text, at: start..self.at, dotted })
    }

    /// The character after a backslash, which must be one that can be escaped.
    fn escaped(&mut self, can_be: impl Fn(char) -> bool) -> Result<char, SelectError> {
        let start = self.at;
        self.take();
        match self.take() {
            Some(character) if can_be(character) => Ok(character),
            _ => Err(self.error(start..self.at, Mistake::Escape)),
        }
    }

    fn state(&mut self, qualifier: Name) -> Result<Target, SelectError> {
        if qualifier.text != "state" {
            return Err(self.error(qualifier.at, Mistake::Qualifier(qualifier.text)));
        }
        self.take();
        let name = self.name()?;
        match StateName::ALL.into_iter().find(|state| state.name() == name.text) {
            Some(state) => Ok(Target::State(state)),
            None => Err(self.error(name.at, Mistake::State(name.text))),
        }
    }

    fn keys(&mut self) -> Result<Vec<Key>, SelectError> {
        let mut keys = Vec::new();
        while self.peek() == Some('[') {
            keys.push(self.key()?);
        }
        Ok(keys)
    }

    fn key(&mut self) -> Result<Key, SelectError> {
        let start = self.at;
        self.take();
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(']') => break,
                Some('\\') => {
                    text.push(self.escaped(|character| matches!(character, '[' | ']' | '\\'))?);
                }
                Some('[') | None => return Err(self.error(start..self.at, Mistake::Unclosed)),
                Some(character) => {
                    text.push(character);
                    self.take();
                }
            }
        }
        self.take();
        let key = Key::new(text);
        key.check().map_err(|error| self.error(start..self.at, Mistake::Key(error)))?;
        Ok(key)
    }

    /// Two terms must not touch.
    fn end_of_term(&self) -> Result<(), SelectError> {
        match self.peek() {
            None => Ok(()),
            Some(character) if is_separator(character) => Ok(()),
            Some(']') => Err(self.here(Mistake::Unopened)),
            Some(_) => Err(self.here(Mistake::Trailing)),
        }
    }
}

fn is_separator(character: char) -> bool {
    character == ',' || character.is_whitespace()
}
