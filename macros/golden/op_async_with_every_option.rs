#[track_caller]
fn shout(
    text: impl ::fanfold::__private::Single + ::fanfold::__private::Input<String>,
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
            ::fanfold::__private::Erase::<String>::ERASE,
        ),
    ])
}
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "it is the twin of a function")]
enum shout {}
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
    async fn call(ctx: &OpContext, db: &Db, text: String) -> Result<String, io::Error> {
        db.shout(text)
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
    ) -> ::fanfold::__private::BoxFuture<
        ::core::result::Result<::fanfold::__private::Outputs, ::fanfold::OpError>,
    > {
        ::std::boxed::Box::pin(async move {
            let ctx = &ctx;
            let resource_1 = ctx.resource::<Db>();
            let input_0 = (&&&&&::fanfold::__private::Take::<String>::new())
                .owned(
                    &mut inputs[0],
                    <::fanfold::__private::Recorded as ::fanfold::__private::Takes<
                        shout,
                        String,
                    >>::typed,
                    <::fanfold::__private::Recorded as ::fanfold::__private::Copies<
                        shout,
                        String,
                    >>::own,
                );
            let given = shout::call(ctx, &resource_1, input_0).await;
            let given = match given {
                ::core::result::Result::Ok(given) => given,
                ::core::result::Result::Err(error) => {
                    return ::core::result::Result::Err(
                        (&&&&::fanfold::__private::Caught(&error))
                            .op_error(::fanfold::__private::Failure::shown),
                    );
                }
            };
            let erased: fn(String) -> ::fanfold::__private::AnyValue = <::fanfold::__private::Recorded as ::fanfold::__private::Gives<
                shout,
                String,
            >>::erased;
            ::core::result::Result::Ok(
                ::fanfold::__private::Outputs::One(
                    ::core::option::Option::Some(erased(given)),
                ),
            )
        })
    }
    #[allow(clippy::needless_update, reason = "all options may have been said")]
    static __OP: ::fanfold::__private::OpDef = ::fanfold::__private::OpDef {
        name: "upper",
        module: ::core::module_path!(),
        function: "shout",
        file: ::core::file!(),
        line: ::core::line!(),
        doc: "",
        params: &[
            ::fanfold::__private::ParamDef {
                name: "text",
                type_name: "String",
                optional: ::fanfold::__private::Kind::<String>::OPTIONAL,
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
        resources: &[
            ::fanfold::__private::ResourceUse {
                type_id: ::core::any::TypeId::of::<Db>,
                type_name: ::core::any::type_name::<Db>,
            },
        ],
        options: ::fanfold::OpOptions {
            retry: ::core::option::Option::Some(::fanfold::RetryPolicy {
                max: 3,
                delay: ::core::time::Duration::new(0u64, 500000000u32),
                backoff: ::fanfold::Backoff::Linear,
                jitter: ::fanfold::Jitter::Full,
                max_delay: ::core::option::Option::None,
            }),
            timeout: ::core::option::Option::Some(
                ::core::time::Duration::new(30u64, 0u32),
            ),
            priority: ::core::option::Option::Some(-5),
            pool: ::core::option::Option::Some("api"),
            tags: &[("team", "data")],
            ..::fanfold::OpOptions::DEFAULT
        },
        run: ::fanfold::__private::Run::Async(__run),
    };
    impl ::fanfold::__private::Op for shout {
        fn def() -> &'static ::fanfold::__private::OpDef {
            &__OP
        }
    }
    ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredOp(& __OP));
};
