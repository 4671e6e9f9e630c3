//! `Inputs` and `Outputs`: one argument for each field of a struct.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    Data, DeriveInput, Expr, ExprLit, Field, Fields, Lit, LitInt, LitStr, Meta, Token, punctuated::Punctuated,
    spanned::Spanned,
};

/// A field with what its attributes say.
struct Argument {
    ident: syn::Ident,
    ty: syn::Type,
    name: String,
    description: String,
    title: Option<LitStr>,
    to: Vec<LitStr>,
    max_length: Option<LitInt>,
    min: Option<Expr>,
    max: Option<Expr>,
    default: Option<Expr>,
    examples: Vec<Expr>,
    deprecated: Option<LitStr>,
}

pub fn inputs(item: DeriveInput) -> syn::Result<TokenStream> {
    let arguments = arguments(&item)?;
    let described = arguments.iter().map(Argument::described);
    let read = arguments.iter().map(|argument| {
        let (ident, ty, name) = (&argument.ident, &argument.ty, &argument.name);
        let default = argument.default_value();
        quote! { #ident: ::stepwise_sdk::argument::take::<#ty>(&mut fields, #name, #default)? }
    });
    let fields = arguments.iter().map(Argument::as_field);
    let name = &item.ident;
    Ok(quote! {
        impl ::stepwise_sdk::Inputs for #name {
            fn arguments() -> ::std::vec::Vec<::stepwise_sdk::argument::Argument> {
                ::std::vec![#(#described),*]
            }

            fn read(
                mut fields: ::std::vec::Vec<::stepwise_sdk::Field>,
            ) -> ::std::result::Result<Self, ::stepwise_sdk::Failure> {
                let _ = &mut fields;
                ::std::result::Result::Ok(Self { #(#read),* })
            }

            fn fields(self) -> ::std::vec::Vec<::stepwise_sdk::Field> {
                ::std::vec![#(#fields),*]
            }
        }
    })
}

pub fn outputs(item: DeriveInput) -> syn::Result<TokenStream> {
    let arguments = arguments(&item)?;
    if let Some(argument) = arguments.iter().find(|argument| argument.default.is_some()) {
        return Err(syn::Error::new_spanned(&argument.default, "an output has no `default`"));
    }
    let described = arguments.iter().map(Argument::described);
    let fields = arguments.iter().map(Argument::as_field);
    let name = &item.ident;
    Ok(quote! {
        impl ::stepwise_sdk::Outputs for #name {
            fn arguments() -> ::std::vec::Vec<::stepwise_sdk::argument::Argument> {
                ::std::vec![#(#described),*]
            }

            fn fields(self) -> ::std::vec::Vec<::stepwise_sdk::Field> {
                ::std::vec![#(#fields),*]
            }
        }
    })
}

fn arguments(item: &DeriveInput) -> syn::Result<Vec<Argument>> {
    let Data::Struct(data) = &item.data else {
        return Err(syn::Error::new_spanned(
            &item.ident,
            "only a struct has inputs and outputs; an enum of numbered options derives `Choice`",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new_spanned(&item.ident, "inputs and outputs need names: use named fields"));
    };
    if let Some(parameter) = item.generics.params.first() {
        let message = "inputs and outputs have no parameters: what they are stands in the manifest";
        return Err(syn::Error::new_spanned(parameter, message));
    }
    fields.named.iter().map(Argument::of).collect()
}

impl Argument {
    fn of(field: &Field) -> syn::Result<Self> {
        let ident =
            field.ident.clone().ok_or_else(|| syn::Error::new_spanned(field, "inputs and outputs need names"))?;
        let mut argument = Self {
            name: ident.to_string().trim_start_matches("r#").to_string(),
            ty: field.ty.clone(),
            ident,
            description: description(field),
            title: None,
            to: Vec::new(),
            max_length: None,
            min: None,
            max: None,
            default: None,
            examples: Vec::new(),
            deprecated: None,
        };
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("argument")) {
            attribute.parse_nested_meta(|meta| argument.take(&meta))?;
        }
        Ok(argument)
    }

    fn take(&mut self, meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<()> {
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match key.as_str() {
            "name" => self.name = meta.value()?.parse::<LitStr>()?.value(),
            "title" => self.title = Some(meta.value()?.parse()?),
            "to" => self.to = entities(meta)?,
            "max_length" => self.max_length = Some(meta.value()?.parse()?),
            "min" => self.min = Some(meta.value()?.parse()?),
            "max" => self.max = Some(meta.value()?.parse()?),
            "default" => self.default = Some(meta.value()?.parse()?),
            "deprecated" => self.deprecated = Some(meta.value()?.parse()?),
            "examples" => {
                let content;
                syn::parenthesized!(content in meta.input);
                self.examples = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?.into_iter().collect();
            }
            _ => {
                let known = "`name`, `title`, `to`, `max_length`, `min`, `max`, `default`, `examples`, `deprecated`";
                return Err(meta.error(format!("one of {known}")));
            }
        }
        Ok(())
    }

    fn described(&self) -> TokenStream {
        let (ty, name, description, to) = (&self.ty, &self.name, &self.description, &self.to);
        let title = self.title.iter();
        let max_length = self.max_length.iter();
        let min = self.min.iter();
        let max = self.max.iter();
        let examples = self.examples.iter();
        let deprecated = self.deprecated.iter();
        let default = self.default.iter().map(|default| {
            let value = self.default_value();
            let _ = default;
            quote! { argument.default = #value; argument.required = false; }
        });
        quote! {{
            let mut argument = ::stepwise_sdk::argument::argument::<#ty>(#name);
            argument.description = #description;
            argument.to = &[#(#to),*];
            #(argument.title = #title;)*
            #(argument.max_length = ::std::option::Option::Some(#max_length);)*
            #(argument.min = ::std::option::Option::Some(#min);)*
            #(argument.max = ::std::option::Option::Some(#max);)*
            #(#default)*
            argument.examples = ::std::vec![#(::stepwise_sdk::Value::from(#examples)),*];
            #(argument.deprecated = #deprecated;)*
            argument
        }}
    }

    /// The field with its value, taken out of `self`.
    fn as_field(&self) -> TokenStream {
        let (ident, name) = (&self.ident, &self.name);
        // Whatever is wrong with the type is told at the type.
        let value = quote_spanned! { self.ty.span() => ::stepwise_sdk::Value::from(self.#ident) };
        quote! {
            ::stepwise_sdk::Field { name: ::std::string::String::from(#name), value: #value }
        }
    }

    /// The default as an optional value.
    fn default_value(&self) -> TokenStream {
        match &self.default {
            None => quote! { ::std::option::Option::None },
            Some(default) => {
                quote! { ::std::option::Option::Some(::stepwise_sdk::Value::from(#default)) }
            }
        }
    }
}

/// `to = "account"` or `to("account", "contact")`.
fn entities(meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<Vec<LitStr>> {
    if meta.input.peek(Token![=]) {
        return Ok(vec![meta.value()?.parse()?]);
    }
    let content;
    syn::parenthesized!(content in meta.input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// The doc comment, its lines joined.
fn description(field: &Field) -> String {
    let lines = field.attrs.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value().trim().to_string()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_string()
}
