::core::compile_error! {
    "`soon` is not a length of time\n\nhelp: write `timeout = \"30s\"`"
}
::core::compile_error! {
    "an op cannot be generic over a type\n\nnote: it is registered once, under its name\nhelp: write one function for each type, and let them call a generic one"
}
::core::compile_error! {
    "an op cannot change what other steps read\n\nhelp: take it by value, and give the changed value back"
}
#[allow(unused, reason = "the op does not compile")]
fn shout(_input_0: impl ::core::marker::Sized) -> ::fanfold::Out<String> {
    ::core::unreachable!()
}
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "it is the twin of a function")]
enum shout {}
#[allow(unused, reason = "the op does not compile")]
impl shout {
    fn call<T>(text: &mut String) -> String {
        text.to_uppercase()
    }
}
