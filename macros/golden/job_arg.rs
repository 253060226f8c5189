#[automatically_derived]
impl ::fanfold::JobArg for Order {
    const CHOICES: &'static [&'static str] = &["depth-first", "breadth-first"];
    fn from_text(text: &str) -> ::core::result::Result<Self, ::std::string::String> {
        match text {
            "depth-first" => ::core::result::Result::Ok(Self::DepthFirst),
            "breadth-first" => ::core::result::Result::Ok(Self::BreadthFirst),
            other => {
                ::core::result::Result::Err(
                    ::std::format!(
                        "{}, not `{other}`", "expected `depth-first`, `breadth-first`"
                    ),
                )
            }
        }
    }
    fn from_json(
        json: &::fanfold::__private::Json,
    ) -> ::core::result::Result<Self, ::std::string::String> {
        match json.as_str() {
            ::core::option::Option::Some(text) => Self::from_text(text),
            ::core::option::Option::None => {
                ::core::result::Result::Err(
                    ::std::string::String::from(
                        "expected `depth-first`, `breadth-first`",
                    ),
                )
            }
        }
    }
    fn show(&self) -> ::std::string::String {
        let word = match *self {
            Self::DepthFirst => "depth-first",
            Self::BreadthFirst => "breadth-first",
        };
        ::std::string::String::from(word)
    }
}
