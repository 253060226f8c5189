#[track_caller]
fn clean() -> ::fanfold::Done {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    ::fanfold::__private::call::<clean, _, _>([])
}
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "it is the twin of a function")]
enum clean {}
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
impl clean {
    fn call() {}
}
const _: () = {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    #[allow(unused_variables, reason = "an op need not read its inputs and its context")]
    fn __run(
        inputs: &mut ::fanfold::__private::Inputs,
        ctx: &::fanfold::OpContext,
    ) -> ::core::result::Result<::fanfold::__private::Outputs, ::fanfold::OpError> {
        let given = clean::call();
        let () = given;
        ::core::result::Result::Ok(::fanfold::__private::Outputs::None)
    }
    #[allow(clippy::needless_update, reason = "all options may have been said")]
    static __OP: ::fanfold::__private::OpDef = ::fanfold::__private::OpDef {
        name: "clean",
        module: ::core::module_path!(),
        function: "clean",
        file: ::core::file!(),
        line: ::core::line!(),
        doc: "",
        params: &[],
        outputs: &[],
        resources: &[],
        options: ::fanfold::OpOptions::DEFAULT,
        run: ::fanfold::__private::Run::Sync(__run),
    };
    impl ::fanfold::__private::Op for clean {
        fn def() -> &'static ::fanfold::__private::OpDef {
            &__OP
        }
    }
    ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredOp(& __OP));
};
