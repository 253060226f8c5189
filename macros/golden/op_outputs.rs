#[track_caller]
fn split(
    n: impl ::fanfold::__private::Single + ::fanfold::__private::Input<i64>,
) -> <Split as ::fanfold::__private::OutputsOf>::Handles {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    ::fanfold::__private::call::<
        split,
        _,
        _,
    >([
        ::fanfold::__private::Input::into_raw(
            n,
            ::fanfold::__private::Erase::<i64>::ERASE,
        ),
    ])
}
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "it is the twin of a function")]
enum split {}
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
impl split {
    fn call(n: i64) -> Split {
        Split::new(n)
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
            let input_0 = (&&&&&::fanfold::__private::Take::<i64>::new())
                .owned(
                    &mut inputs[0],
                    <::fanfold::__private::Recorded as ::fanfold::__private::Takes<
                        split,
                        i64,
                    >>::typed,
                    <::fanfold::__private::Recorded as ::fanfold::__private::Copies<
                        split,
                        i64,
                    >>::own,
                );
            let given = split::call(input_0);
            ::fanfold::__private::Set::<Split>::emit(given, emission).await
        })
    }
    #[allow(clippy::needless_update, reason = "all options may have been said")]
    static __OP: ::fanfold::__private::OpDef = ::fanfold::__private::OpDef {
        name: "split",
        module: ::core::module_path!(),
        function: "split",
        file: ::core::file!(),
        line: ::core::line!(),
        doc: "",
        params: &[
            ::fanfold::__private::ParamDef {
                name: "n",
                type_name: "i64",
                optional: ::fanfold::__private::Kind::<i64>::OPTIONAL,
                owned: true,
            },
        ],
        outputs: ::fanfold::__private::Set::<Split>::OUTPUTS,
        resources: &[],
        options: ::fanfold::OpOptions::DEFAULT,
        run: ::fanfold::__private::Run::Emitter(__run),
    };
    impl ::fanfold::__private::Op for split {
        fn def() -> &'static ::fanfold::__private::OpDef {
            &__OP
        }
    }
    ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredOp(& __OP));
};
