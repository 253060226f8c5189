async fn db(config: &Config) -> Result<Db, io::Error> {
    Db::open(&config.url).await
}
const _: () = {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    static __RESOURCE: ::fanfold::__private::ResourceDef = ::fanfold::__private::ResourceDef {
        name: "db",
        file: ::core::file!(),
        line: ::core::line!(),
        type_id: ::core::any::TypeId::of::<Db>,
        type_name: ::core::any::type_name::<Db>,
        resources: &[
            ::fanfold::__private::ResourceUse {
                type_id: ::core::any::TypeId::of::<Config>,
                type_name: ::core::any::type_name::<Config>,
            },
        ],
        #[allow(unused_variables, reason = "it may be built from nothing")]
        build: |inputs| ::std::boxed::Box::pin(async move {
            let input_0 = ::fanfold::__private::downcast::<
                Config,
            >(::std::sync::Arc::clone(&inputs[0usize]));
            let given = db(&input_0).await;
            let given = match given {
                ::core::result::Result::Ok(given) => given,
                ::core::result::Result::Err(error) => {
                    return ::core::result::Result::Err(
                        (&&&&::fanfold::__private::Caught(&error))
                            .op_error(::fanfold::__private::Failure::shown),
                    );
                }
            };
            ::core::result::Result::Ok(::fanfold::__private::built::<Db>(given))
        }),
    };
    ::fanfold::__private::inventory::submit!(
        ::fanfold::__private::RegisteredResource(& __RESOURCE)
    );
};
