//! Derives for custom steps: `Inputs`, `Outputs` and `Choice`, re-exported by `stepwise-sdk`.
//!
//! A field's doc comment becomes its description; `#[argument(...)]` says the rest: `name`, `title`, `to`,
//! `max_length`, `min`, `max`, `default`, `examples(...)`, `deprecated`. What a field's type can tell is never asked for.

use proc_macro::TokenStream;

mod argument;
mod choice;

/// Reads a struct with named fields from a step's inputs. `Option` makes an input optional, and so does
/// `#[argument(default = 15)]`.
#[proc_macro_derive(Inputs, attributes(argument))]
pub fn inputs(item: TokenStream) -> TokenStream {
    expand(item, argument::inputs)
}

/// Makes a step's outputs from a struct with named fields.
#[proc_macro_derive(Outputs, attributes(argument))]
pub fn outputs(item: TokenStream) -> TokenStream {
    expand(item, argument::outputs)
}

/// Makes an enum whose variants all have a number a type for inputs and outputs: `enum Severity { Low = 1 }`.
#[proc_macro_derive(Choice, attributes(argument))]
pub fn choice(item: TokenStream) -> TokenStream {
    expand(item, choice::choice)
}

fn expand(item: TokenStream, derive: fn(syn::DeriveInput) -> syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    syn::parse(item).and_then(derive).unwrap_or_else(syn::Error::into_compile_error).into()
}
