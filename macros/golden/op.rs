/// Upper-cases.
#[track_caller]
pub fn shout(
    text: impl ::fanfold::__private::Single + ::fanfold::__private::Input<
        ::std::string::String,
    >,
    times: impl ::fanfold::__private::Single + ::fanfold::__private::Input<Option<usize>>,
) -> ::fanfold::Out<String> {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    ::fanfold::__private::call::<
        shout,
        _,
        _,
    >([
        ::fanfold::__private::Input::into_raw(
            text,
            ::fanfold::__private::Erase::<::std::string::String>::ERASE,
        ),
        ::fanfold::__private::Input::into_raw(
            times,
            ::fanfold::__private::Erase::<Option<usize>>::ERASE,
        ),
    ])
}
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "it is the twin of a function")]
pub enum shout {}
#[allow(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::must_use_candidate,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::ptr_arg,
    reason = "an op's signature says how it stands in a graph"
)]
impl shout {
    pub fn call(text: &str, times: Option<usize>) -> String {
        text.repeat(times.unwrap_or(1))
    }
}
const _: () = {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    #[allow(unused_variables, reason = "an op need not read its inputs and its context")]
    fn __run(
        inputs: &mut ::fanfold::__private::Inputs,
        ctx: &::fanfold::OpContext,
    ) -> ::core::result::Result<::fanfold::__private::Outputs, ::fanfold::OpError> {
        let input_0 = (&&&&&::fanfold::__private::Take::<::std::string::String>::new())
            .shared(
                &mut inputs[0],
                <::fanfold::__private::Recorded as ::fanfold::__private::Takes<
                    shout,
                    ::std::string::String,
                >>::typed,
            );
        let input_1 = (&&&&&::fanfold::__private::Take::<Option<usize>>::new())
            .owned(
                &mut inputs[1],
                <::fanfold::__private::Recorded as ::fanfold::__private::Takes<
                    shout,
                    Option<usize>,
                >>::typed,
                <::fanfold::__private::Recorded as ::fanfold::__private::Copies<
                    shout,
                    Option<usize>,
                >>::own,
            );
        let given = shout::call(&input_0, input_1);
        let erased: fn(String) -> ::fanfold::__private::AnyValue = <::fanfold::__private::Recorded as ::fanfold::__private::Gives<
            shout,
            String,
            { ::fanfold::__private::Kind::<String>::RESULT },
        >>::erased;
        ::core::result::Result::Ok(
            ::fanfold::__private::Outputs::One(
                ::core::option::Option::Some(erased(given)),
            ),
        )
    }
    #[allow(clippy::needless_update, reason = "all options may have been said")]
    static __OP: ::fanfold::__private::OpDef = ::fanfold::__private::OpDef {
        name: "shout",
        module: ::core::module_path!(),
        function: "shout",
        file: ::core::file!(),
        line: ::core::line!(),
        doc: "Upper-cases.",
        params: &[
            ::fanfold::__private::ParamDef {
                name: "text",
                type_name: "&str",
                optional: ::fanfold::__private::Kind::<::std::string::String>::OPTIONAL,
                owned: false,
            },
            ::fanfold::__private::ParamDef {
                name: "times",
                type_name: "Option<usize>",
                optional: ::fanfold::__private::Kind::<Option<usize>>::OPTIONAL,
                owned: true,
            },
        ],
        outputs: &[
            ::fanfold::__private::OutputDef {
                name: "result",
                kind: ::fanfold::__private::OutputKind::Single,
                info: ::fanfold::__private::Info::<String>::INFO,
                optional: false,
            },
        ],
        resources: &[],
        options: ::fanfold::OpOptions::DEFAULT,
        run: ::fanfold::__private::Run::Sync(__run),
    };
    impl ::fanfold::__private::Op for shout {
        fn def() -> &'static ::fanfold::__private::OpDef {
            &__OP
        }
    }
    ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredOp(& __OP));
    const _: () = ::core::assert!(
        ! ::fanfold::__private::Kind:: < String > ::RESULT,
        "`shout` returns a `Result` under another name, so that its errors would pass for values: write `Result<T, E>`"
    );
};
