const _: () = {
    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
    use ::fanfold::__private::rungs::*;
    #[automatically_derived]
    impl ::fanfold::__private::OutputsOf for Split {
        type Handles = SplitOutputs;
        const OUTPUTS: &'static [::fanfold::__private::OutputDef] = &[
            ::fanfold::__private::OutputDef {
                name: "values",
                kind: ::fanfold::__private::OutputKind::Dynamic,
                info: ::fanfold::__private::Info::<i64>::INFO,
                optional: false,
            },
            ::fanfold::__private::OutputDef {
                name: "negatives",
                kind: ::fanfold::__private::OutputKind::Dynamic,
                info: ::fanfold::__private::Info::<i64>::INFO,
                optional: true,
            },
            ::fanfold::__private::OutputDef {
                name: "count",
                kind: ::fanfold::__private::OutputKind::Single,
                info: ::fanfold::__private::Info::<i64>::INFO,
                optional: false,
            },
        ];
        fn given(self) -> ::std::vec::Vec<::fanfold::__private::Given> {
            ::std::vec![
                ::fanfold::__private::Given::items(self.values, <
                ::fanfold::__private::Recorded as ::fanfold::__private::Gives < Split,
                i64 >> ::erased), ::fanfold::__private::Given::maybe_items(self
                .negatives, < ::fanfold::__private::Recorded as
                ::fanfold::__private::Gives < Split, i64 >> ::erased),
                ::fanfold::__private::Given::one(self.count, <
                ::fanfold::__private::Recorded as ::fanfold::__private::Gives < Split,
                i64 >> ::erased)
            ]
        }
    }
};
///The handles of the outputs that [`Split`] names.
#[must_use = "outputs that nothing reads are computed for nothing: use one, or write `let _ =`"]
#[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
pub struct SplitOutputs {
    ///The output `values`.
    pub values: ::fanfold::DynamicOut<i64>,
    ///The output `negatives`.
    pub negatives: ::fanfold::DynamicOut<i64>,
    ///The output `count`.
    pub count: ::fanfold::Out<i64>,
}
::fanfold::__call_options!(SplitOutputs);
#[automatically_derived]
impl ::core::convert::From<SplitOutputs>
for (::fanfold::DynamicOut<i64>, ::fanfold::DynamicOut<i64>, ::fanfold::Out<i64>) {
    fn from(handles: SplitOutputs) -> Self {
        (handles.values, handles.negatives, handles.count)
    }
}
#[automatically_derived]
impl ::fanfold::__private::Handles for SplitOutputs {
    fn raws(&self) -> ::std::vec::Vec<::fanfold::__private::Raw> {
        ::fanfold::__private::Handles::raws(&(self.values, self.negatives, self.count))
    }
}
#[automatically_derived]
impl ::fanfold::__private::FromRaws for SplitOutputs {
    fn from_raws(raws: ::std::vec::Vec<::fanfold::__private::Raw>) -> Self {
        let mut raws = raws.into_iter();
        Self {
            values: ::fanfold::__private::next_handle(&mut raws),
            negatives: ::fanfold::__private::next_handle(&mut raws),
            count: ::fanfold::__private::next_handle(&mut raws),
        }
    }
}
#[automatically_derived]
impl ::fanfold::__private::MapBody for SplitOutputs {
    type Outputs = <(
        ::fanfold::DynamicOut<i64>,
        ::fanfold::DynamicOut<i64>,
        ::fanfold::Out<i64>,
    ) as ::fanfold::__private::MapBody>::Outputs;
    fn outputs(
        raws: &mut dyn ::core::iter::Iterator<Item = ::fanfold::__private::Raw>,
    ) -> Self::Outputs {
        <(
            ::fanfold::DynamicOut<i64>,
            ::fanfold::DynamicOut<i64>,
            ::fanfold::Out<i64>,
        ) as ::fanfold::__private::MapBody>::outputs(raws)
    }
}
///What an op that yields the outputs of [`Split`] as they come may yield.
#[allow(dead_code, reason = "an op may give its outputs at its end")]
pub enum SplitItem {
    ///An item of the output `values`.
    Values(::fanfold::DynamicOutput<i64>),
    ///An item of the output `negatives`.
    Negatives(::fanfold::DynamicOutput<i64>),
    ///The value of the output `count`.
    Count(i64),
}
#[automatically_derived]
impl ::fanfold::__private::OutputsItem for SplitItem {
    type Set = Split;
    fn emitted(self) -> ::fanfold::__private::Emitted {
        #[allow(unused_imports, reason = "which of them is needed depends on the types")]
        use ::fanfold::__private::rungs::*;
        match self {
            Self::Values(given) => {
                ::fanfold::__private::Emitted::item(
                    0u16,
                    given,
                    ::fanfold::__private::Erase::<i64>::ERASE,
                )
            }
            Self::Negatives(given) => {
                ::fanfold::__private::Emitted::item(
                    1u16,
                    given,
                    ::fanfold::__private::Erase::<i64>::ERASE,
                )
            }
            Self::Count(given) => {
                ::fanfold::__private::Emitted::one(
                    2u16,
                    given,
                    ::fanfold::__private::Erase::<i64>::ERASE,
                )
            }
        }
    }
}
