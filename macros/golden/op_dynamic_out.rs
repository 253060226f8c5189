#[track_caller]
fn pieces(
    from: impl ::fanfold::__private::Single + ::fanfold::__private::Input<char>,
    to: impl ::fanfold::__private::Single + ::fanfold::__private::Input<char>,
) -> ::fanfold::DynamicOut<String> {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    ::fanfold::__private::call::<
        pieces,
        _,
        _,
    >([
        ::fanfold::__private::Input::into_raw(
            from,
            ::fanfold::__private::Erase::<char>::ERASE,
        ),
        ::fanfold::__private::Input::into_raw(
            to,
            ::fanfold::__private::Erase::<char>::ERASE,
        ),
    ])
}
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "it is the twin of a function")]
enum pieces {}
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
impl pieces {
    fn __unchecked(from: char, to: char) -> impl Iterator<Item = DynamicOutput<String>> {
        pieces_of(from, to)
    }
    fn call(
        input_0: char,
        input_1: char,
    ) -> impl Iterator<Item = DynamicOutput<String>> {
        ::fanfold::__private::Checked::new("pieces", Self::__unchecked(input_0, input_1))
    }
}
const _: () = {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    #[allow(
        unused_mut,
        unused_variables,
        reason = "an op need not read its inputs and its context"
    )]
    fn __run(
        mut inputs: ::std::vec::Vec<
            ::core::option::Option<::fanfold::__private::AnyValue>,
        >,
        ctx: ::fanfold::OpContext,
        emission: ::fanfold::__private::Emission,
    ) -> ::fanfold::__private::BoxFuture<
        ::core::result::Result<::fanfold::__private::Outputs, ::fanfold::OpError>,
    > {
        ::std::boxed::Box::pin(async move {
            let ctx = &ctx;
            let input_0 = (&&&&&::fanfold::__private::Take::<char>::new())
                .owned(
                    &mut inputs[0],
                    <::fanfold::__private::Recorded as ::fanfold::__private::Takes<
                        pieces,
                        char,
                    >>::typed,
                    <::fanfold::__private::Recorded as ::fanfold::__private::Copies<
                        pieces,
                        char,
                    >>::own,
                );
            let input_1 = (&&&&&::fanfold::__private::Take::<char>::new())
                .owned(
                    &mut inputs[1],
                    <::fanfold::__private::Recorded as ::fanfold::__private::Takes<
                        pieces,
                        char,
                    >>::typed,
                    <::fanfold::__private::Recorded as ::fanfold::__private::Copies<
                        pieces,
                        char,
                    >>::own,
                );
            let given = pieces::__unchecked(input_0, input_1);
            ::fanfold::__private::emit(
                    given,
                    move |item: ::fanfold::DynamicOutput<String>| ::core::result::Result::Ok(
                        item,
                    ),
                    <::fanfold::__private::Recorded as ::fanfold::__private::Gives<
                        pieces,
                        String,
                    >>::erased,
                    emission,
                )
                .await
        })
    }
    #[allow(clippy::needless_update, reason = "all options may have been said")]
    static __OP: ::fanfold::__private::OpDef = ::fanfold::__private::OpDef {
        name: "pieces",
        module: ::core::module_path!(),
        function: "pieces",
        file: ::core::file!(),
        line: ::core::line!(),
        doc: "",
        params: &[
            ::fanfold::__private::ParamDef {
                name: "from",
                type_name: "char",
                optional: ::fanfold::__private::Kind::<char>::OPTIONAL,
                owned: true,
            },
            ::fanfold::__private::ParamDef {
                name: "to",
                type_name: "char",
                optional: ::fanfold::__private::Kind::<char>::OPTIONAL,
                owned: true,
            },
        ],
        outputs: &[
            ::fanfold::__private::OutputDef {
                name: "result",
                kind: ::fanfold::__private::OutputKind::Dynamic,
                info: ::fanfold::__private::Info::<String>::INFO,
                optional: false,
            },
        ],
        resources: &[],
        options: ::fanfold::OpOptions::DEFAULT,
        run: ::fanfold::__private::Run::Emitter(__run),
    };
    impl ::fanfold::__private::Op for pieces {
        fn def() -> &'static ::fanfold::__private::OpDef {
            &__OP
        }
    }
    ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredOp(& __OP));
};
