/// Upper-cases letters.
#[allow(non_camel_case_types, reason = "it has the name of a function")]
enum letters {}
impl letters {
    /// The job, to be looked at, tested, or run from a program.
    #[must_use]
    #[allow(dead_code, reason = "the binary finds the job in the registry")]
    fn job() -> ::fanfold::Job<(char, char), String> {
        #[allow(unused_imports, reason = "which of them is needed depends on the types")]
        use ::fanfold::__private::rungs::*;
        ::fanfold::Job::new(
            <Self as ::fanfold::__private::JobRow>::def(),
            |args: (char, char)| {
                ::std::vec![
                    ::fanfold::__private::default(args.0),
                    ::fanfold::__private::default(args.1)
                ]
            },
            |values| {
                let mut values = values.into_iter();
                (&&::fanfold::__private::JobResult::<String>::new())
                    .own(::fanfold::__private::next(&mut values))
            },
        )
    }
    #[allow(
        clippy::needless_pass_by_value,
        reason = "a job's signature says what its arguments are"
    )]
    fn __body(from: Out<char>, to: Out<char>) -> Out<String> {
        merge(pieces(from, to).collect())
    }
}
const _: () = {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    #[allow(clippy::needless_update, reason = "all options may have been said")]
    static __JOB: ::fanfold::__private::JobDef = ::fanfold::__private::JobDef {
        name: "letters",
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        doc: "Upper-cases letters.",
        args: &[
            ::fanfold::__private::ArgDef {
                name: "from",
                doc: "The first.",
                info: ::fanfold::__private::Info::<char>::INFO,
                default: ::core::option::Option::Some(|| {
                    let value: char = 'a';
                    ::fanfold::__private::default(value)
                }),
                ..<::fanfold::__private::Flag as ::fanfold::__private::Reads<char>>::ARG
            },
            ::fanfold::__private::ArgDef {
                name: "to",
                doc: "",
                info: ::fanfold::__private::Info::<char>::INFO,
                default: ::core::option::Option::None,
                ..<::fanfold::__private::Flag as ::fanfold::__private::Reads<char>>::ARG
            },
        ],
        results: &[
            ::fanfold::__private::ResultDef {
                info: ::fanfold::__private::Info::<String>::INFO,
                read: |value| {
                    (&&&&&::fanfold::__private::Take::<String>::new())
                        .shared(
                            &mut ::core::option::Option::Some(value),
                            ::fanfold::__private::downcast,
                        )
                },
            },
        ],
        options: ::fanfold::JobOptions {
            max_concurrent: ::core::option::Option::Some(4u32),
            pools: &[
                (
                    "api",
                    ::fanfold::PoolLimit {
                        max: ::core::option::Option::Some(3u32),
                        rate: ::core::option::Option::None,
                    },
                ),
                (
                    "web",
                    ::fanfold::PoolLimit {
                        max: ::core::option::Option::Some(8u32),
                        rate: ::core::option::Option::Some(::fanfold::Rate {
                            starts: 10u32,
                            per: ::core::time::Duration::from_secs(1u64),
                        }),
                    },
                ),
            ],
            ..::fanfold::JobOptions::DEFAULT
        },
        on_success: ::core::option::Option::None,
        on_failure: ::core::option::Option::Some(
            ::fanfold::__private::Hook(|report| ::std::boxed::Box::pin(async move {
                ::fanfold::__private::Hooked(notify(&report)).ended().await;
            })),
        ),
        build: || ::fanfold::__private::returned(
            letters::__body(
                ::fanfold::__private::argument::<
                    char,
                >(0u32, ::fanfold::__private::Info::<char>::INFO),
                ::fanfold::__private::argument::<
                    char,
                >(1u32, ::fanfold::__private::Info::<char>::INFO),
            ),
        ),
        panic_aborts: ::core::cfg!(panic = "abort"),
    };
    impl ::fanfold::__private::JobRow for letters {
        fn def() -> &'static ::fanfold::__private::JobDef {
            &__JOB
        }
    }
    ::fanfold::__private::inventory::submit!(
        ::fanfold::__private::RegisteredJob(& __JOB)
    );
};
