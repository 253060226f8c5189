//! The row that registers an op.

use proc_macro2::TokenStream;
use quote::quote;

use super::Op;
use super::expand::set_of;
use super::params::{Input, Param, Read};
use super::returns::Kind;

impl Op {
    /// The row, as a constant.
    pub(super) fn row(&self) -> TokenStream {
        let function = self.function.name();
        let name = self.attr.name.as_deref().unwrap_or(&function);
        let doc = self.function.doc_text();
        let params = self.inputs().map(|input| {
            let Input { ty, written, read, .. } = input;
            let name = &input.label;
            let owned = *read == Read::Owned;
            quote! {
                ::fanfold::__private::ParamDef {
                    name: #name,
                    type_name: #written,
                    optional: ::fanfold::__private::Kind::<#ty>::OPTIONAL,
                    owned: #owned,
                }
            }
        });
        let resources = self.params.iter().filter_map(|param| match param {
            Param::Resource { ty, .. } => Some(resource_use(ty)),
            _ => None,
        });
        let outputs = self.outputs();
        let options = crate::options::said(&quote!(::fanfold::OpOptions), &self.attr.options);
        let run = match &self.returns.kind {
            Kind::Dynamic { .. } | Kind::Outputs(_) | Kind::OutputItems { .. } => quote!(Emitter),
            Kind::Nothing | Kind::One(_) if self.function.sig.asyncness.is_some() => quote!(Async),
            Kind::Nothing | Kind::One(_) => quote!(Sync),
        };
        quote! {
            ::fanfold::__private::OpDef {
                name: #name,
                module: ::core::module_path!(),
                function: #function,
                file: ::core::file!(),
                line: ::core::line!(),
                doc: #doc,
                params: &[#(#params),*],
                outputs: #outputs,
                resources: &[#(#resources),*],
                options: #options,
                run: ::fanfold::__private::Run::#run(__run),
            }
        }
    }

    fn outputs(&self) -> TokenStream {
        let (value, kind) = match &self.returns.kind {
            Kind::Nothing => return quote!(&[]),
            Kind::Outputs(set) => return quote!(::fanfold::__private::Set::<#set>::OUTPUTS),
            Kind::OutputItems { item, .. } => {
                let set = set_of(item, self.returns.span);
                return quote!(<#set as ::fanfold::__private::OutputsOf>::OUTPUTS);
            }
            Kind::One(value) => (value, quote!(Single)),
            Kind::Dynamic { value, .. } => (value, quote!(Dynamic)),
        };
        let info = if self.attr.transient {
            quote!(<::fanfold::__private::Info<#value> as ::fanfold::__private::InfoAny>::INFO)
        } else {
            quote!(::fanfold::__private::Info::<#value>::INFO)
        };
        let optional = self.returns.optional;
        quote! {
            &[::fanfold::__private::OutputDef {
                name: "result",
                kind: ::fanfold::__private::OutputKind::#kind,
                info: #info,
                optional: #optional,
            }]
        }
    }
}

/// A resource that an op or another resource takes.
pub(crate) fn resource_use(ty: &syn::Type) -> TokenStream {
    quote! {
        ::fanfold::__private::ResourceUse {
            type_id: ::core::any::TypeId::of::<#ty>,
            type_name: ::core::any::type_name::<#ty>,
        }
    }
}
