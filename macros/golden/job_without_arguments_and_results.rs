#[allow(non_camel_case_types, reason = "it has the name of a function")]
enum tidy {}
impl tidy {
    /// The job, to be looked at, tested, or run from a program.
    #[must_use]
    #[allow(dead_code, reason = "the binary finds the job in the registry")]
    fn job() -> ::fanfold::Job<(), ()> {
        #[allow(unused_imports, reason = "which of them is needed depends on the types")]
        use ::fanfold::__private::rungs::*;
        ::fanfold::Job::new(
            <Self as ::fanfold::__private::JobRow>::def(),
            |()| ::std::vec::Vec::new(),
            |_| {},
        )
    }
    #[allow(
        clippy::needless_pass_by_value,
        reason = "a job's signature says what its arguments are"
    )]
    fn __body() {
        clean();
    }
}
const _: () = {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    #[allow(clippy::needless_update, reason = "all options may have been said")]
    static __JOB: ::fanfold::__private::JobDef = ::fanfold::__private::JobDef {
        name: "tidy",
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        doc: "",
        args: &[],
        results: &[],
        options: ::fanfold::JobOptions::DEFAULT,
        on_success: ::core::option::Option::None,
        on_failure: ::core::option::Option::None,
        build: || ::fanfold::__private::returned(tidy::__body()),
        panic_aborts: ::core::cfg!(panic = "abort"),
    };
    impl ::fanfold::__private::JobRow for tidy {
        fn def() -> &'static ::fanfold::__private::JobDef {
            &__JOB
        }
    }
    ::fanfold::__private::inventory::submit!(
        ::fanfold::__private::RegisteredJob(& __JOB)
    );
};
