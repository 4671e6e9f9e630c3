//! `Choice`: an enum of numbered options.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields};

pub fn choice(item: DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &item.data else {
        return Err(syn::Error::new_spanned(&item.ident, "a choice is an enum"));
    };
    let mut options = Vec::new();
    for variant in &data.variants {
        let (Fields::Unit, Some((_, number))) = (&variant.fields, &variant.discriminant) else {
            return Err(syn::Error::new_spanned(variant, "an option is a plain variant with a number: `Low = 1`"));
        };
        options.push((&variant.ident, snake_case(&variant.ident.to_string()), number));
    }
    let name = &item.ident;
    let variants: Vec<_> = options.iter().map(|(variant, _, _)| variant).collect();
    let numbers: Vec<_> = options.iter().map(|(_, _, number)| number).collect();
    let names = options.iter().map(|(_, name, _)| name);
    Ok(quote! {
        impl ::stepwise_sdk::Choice for #name {
            const OPTIONS: &'static [(&'static str, i32)] = &[#((#names, #numbers)),*];

            fn from_number(number: i32) -> ::std::option::Option<Self> {
                #(if number == #numbers { return ::std::option::Option::Some(Self::#variants); })*
                ::std::option::Option::None
            }

            fn number(&self) -> i32 {
                match self { #(Self::#variants => #numbers),* }
            }
        }

        impl ::stepwise_sdk::FromValue for #name {
            const KIND: &'static str = "choice";
            const OPTIONS: &'static [(&'static str, i32)] = <Self as ::stepwise_sdk::Choice>::OPTIONS;

            fn from_value(value: ::stepwise_sdk::Value) -> ::std::result::Result<Self, ::stepwise_sdk::Value> {
                let number = match &value {
                    ::stepwise_sdk::Value::Choice(number) => ::std::option::Option::Some(*number),
                    _ => ::std::option::Option::None,
                };
                number.and_then(<Self as ::stepwise_sdk::Choice>::from_number).ok_or(value)
            }
        }

        impl ::std::convert::From<#name> for ::stepwise_sdk::Value {
            fn from(option: #name) -> Self {
                ::stepwise_sdk::Value::Choice(::stepwise_sdk::Choice::number(&option))
            }
        }
    })
}

/// `VeryHigh` is the option `very_high`.
fn snake_case(variant: &str) -> String {
    let mut name = String::new();
    for (place, letter) in variant.char_indices() {
        if letter.is_ascii_uppercase() && place > 0 {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
