//! The language: reading, writing, mistakes.

use expect_test::{Expect, expect};

use crate::key::Key;
use crate::report::fixture::framed;
use crate::select::{Expr, Reach, StateName, Target, Term};

/// What names and keys of random terms are made of: all that has a meaning somewhere.
const PIECES: &[&str] = &[
    "a", "load", "ü", ".", ",", " ", "+", "*", ":", "[", "]", "\\", "state", "failed", "\u{3000}", "1", "-",
];

fn text(random: &mut fastrand::Rng, longest: usize) -> String {
    (0..random.usize(..=longest)).map(|_| PIECES[random.usize(..PIECES.len())]).collect()
}

fn term(random: &mut fastrand::Rng) -> Term {
    let reach = |random: &mut fastrand::Rng| [Reach::Nothing, Reach::Direct, Reach::All][random.usize(..3)];
    let keys = |random: &mut fastrand::Rng| -> Vec<Key> {
        (0..random.usize(..3)).map(|_| Key::new(format!("k{}", text(random, 4)))).collect()
    };
    let target = match random.u8(..4) {
        0 => Target::State(StateName::ALL[random.usize(..StateName::ALL.len())]),
        1 => Target::Graph { graph: format!("g{}", text(random, 3)).into(), keys: keys(random) },
        // A name that ends with a dot is no op's.
        _ => Target::Steps { op: format!("{}x", text(random, 3)).into(), keys: keys(random) },
    };
    Term { before: reach(random), target, after: reach(random) }
}

#[test]
fn what_is_written_reads_back_as_itself() {
    for seed in 0..5_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let terms = (0..random.usize(1..4)).map(|_| (term(&mut random), 0..0)).collect();
        let expr = Expr { text: String::new(), terms };
        let read: Expr =
            expr.to_string().parse().unwrap_or_else(|error| panic!("seed {seed}: {expr}\n{error}"));
        assert_eq!(read, expr, "seed {seed}: {expr}");
    }
}

#[test]
fn any_text_is_read_or_refused_with_a_place_in_it() {
    for seed in 0..20_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let text = text(&mut random, 12);
        match text.parse::<Expr>() {
            Ok(expr) => assert_eq!(expr.to_string().parse(), Ok(expr), "seed {seed}: {text:?}"),
            Err(error) => {
                assert!(error.at.end <= text.len(), "seed {seed}: {text:?}");
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

#[test]
fn terms_stand_between_commas_and_spaces() {
    let expr: Expr = " a , b\tc[x, y]\n*clean.*+,, state:failed ".parse().unwrap();
    let terms: Vec<_> = expr.terms().map(Term::to_string).collect();
    assert_eq!(terms, ["a", "b", "c[x, y]", "*clean.*+", "state:failed"]);
}

#[test]
fn keys_are_written_as_in_the_names_of_steps() {
    let expr: Expr = r"resize[album][a\]b\\]".parse().unwrap();
    let Some(Term { target: Target::Steps { op, keys }, .. }) = expr.terms().next() else { panic!() };
    assert_eq!(&**op, "resize");
    assert_eq!(keys, &[Key::new("album"), Key::new(r"a]b\")]);
}

fn refused(text: &str, expected: &Expect) {
    let error = text.parse::<Expr>().unwrap_err();
    expected.assert_eq(&framed(&format!("{error}\n")));
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    refused(
        "load, compute[a",
        &expect![[r#"
        --
        this key is not closed
          |
          | load, compute[a
          |              ^^
          = help: close it with `]`; inside a key write `\[`, `\]` and `\\`
    "#]],
    );
    refused(
        "",
        &expect![[r#"
        --
        the selection is empty
          = help: write ops, `op[key]`, `+op`, `op*` or `state:failed`, with commas or spaces between
    "#]],
    );
    refused(
        "load ++merge",
        &expect![[r#"
        --
        one `+` or `*` on each side is enough
          |
          | load ++merge
          |       ^
          = help: `+op` is what it reads directly, `*op` is everything before it
    "#]],
    );
    refused(
        "load[a]b",
        &expect![[r#"
        --
        this does not belong to the term before it
          |
          | load[a]b
          |        ^
          = help: put a comma or a space between two terms
    "#]],
    );
    refused(
        "status:failed",
        &expect![[r#"
        --
        there is no `status:`
          |
          | status:failed
          | ^^^^^^
          = help: there is `state:failed`; in the name of an op, `:` is written `\:`
    "#]],
    );
    refused(
        "state:faild*",
        &expect![[r#"
        --
        there is no state `faild` to select by
          |
          | state:faild*
          |       ^^^^^
          = help: there is `failed`, `upstream_failed`, `skipped`, `cancelled`, `not_succeeded`
    "#]],
    );
    refused(
        "ü, a]",
        &expect![[r#"
        --
        this `]` closes nothing
          |
          | ü, a]
          |     ^
          = help: inside a key, `]` is written `\]`
    "#]],
    );
    refused(
        r"a\b",
        &expect![[r#"
        --
        `\` escapes nothing here
          |
          | a\b
          |  ^^
          = help: inside a key write `\[`, `\]` and `\\`; in the name of an op, `\` stands before `,`, `+`, `*`, `:` and a space
    "#]],
    );
    refused(
        "a[]",
        &expect![[r#"
        --
        no step has such a key: a mapping key is empty
          |
          | a[]
          |  ^^
          = help: write the key as it stands in the step's name
    "#]],
    );
    refused(
        "+ a",
        &expect![[r#"
        --
        the name of an op is missing here
          |
          | + a
          |  ^
          = help: write `+op`, `*op`, `op[key]`
    "#]],
    );
}
