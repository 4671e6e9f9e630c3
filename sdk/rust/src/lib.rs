//! Write custom steps for Stepwise: a plain struct for the inputs, one for the outputs, one function.
//!
//! A library of steps is a crate of type `cdylib`, built with `cargo build --target wasm32-wasip2`, and tested
//! natively with [`testing`], without a server. The contract itself is `wit/v1`; this crate hides it.
//!
//! ```
//! use stepwise_sdk::prelude::*;
//!
//! /// What the step is told.
//! #[derive(Inputs)]
//! struct Complaint {
//!     /// The words of the customer.
//!     text: String,
//! }
//!
//! /// What it finds out.
//! #[derive(Outputs)]
//! struct Class {
//!     /// From 1 (low) to 3 (high).
//!     severity: i64,
//! }
//!
//! /// Sorts a complaint by its words.
//! struct Classify;
//!
//! impl Step for Classify {
//!     const NAME: &str = "complaints.classify";
//!     type Inputs = Complaint;
//!     type Outputs = Class;
//!
//!     fn run(_: &Context, complaint: Complaint) -> Result<Class, Failure> {
//!         let severe = complaint.text.to_lowercase().contains("fraud");
//!         Ok(Class { severity: if severe { 3 } else { 2 } })
//!     }
//! }
//!
//! stepwise_sdk::export!(Classify);
//! ```

pub mod argument;
pub mod context;
pub mod example;
pub mod failure;
pub mod http;
pub mod manifest;
pub mod query;
pub mod step;
#[cfg(any(not(target_arch = "wasm32"), feature = "testing"))]
pub mod testing;
pub mod value;

#[doc(hidden)]
pub mod wire;

pub use argument::{Choice, FromValue, Inputs, Outputs};
pub use context::Context;
pub use example::Example;
pub use failure::Failure;
pub use query::Query;
pub use rust_decimal::Decimal;
pub use step::{Kind, Limits, Setting, Step, Verb};
pub use value::{Date, DateTime, Duration, Field, Guid, Money, Record, Reference, Value};
pub use wire::bindings::stepwise::plugin::records::{Page, Row, VerbError};
pub use wire::bindings::stepwise::plugin::types::ErrorKind;

/// Everything that an author of steps usually needs, the derives included.
pub mod prelude {
    pub use crate::argument::{Choice, Inputs, Outputs};
    pub use crate::{
        Context, Date, DateTime, Decimal, ErrorKind, Example, Failure, Field, Guid, Kind, Limits, Money, Query, Record,
        Reference, Setting, Step, Value, Verb, attributes, http::Request,
    };
    pub use stepwise_sdk_derive::{Choice, Inputs, Outputs};
}

/// Names and values for a verb: `attributes! { "subject" => "Call back", "regardingobjectid" => complaint }`.
#[macro_export]
macro_rules! attributes {
    ($($name:expr => $value:expr),* $(,)?) => {
        ::std::vec![$($crate::Field { name: ::std::string::String::from($name), value: $crate::Value::from($value) }),*]
    };
}

/// Makes the crate a library of these steps. Once in a crate, at its top level.
#[macro_export]
macro_rules! export {
    ($($step:ty),+ $(,)?) => {
        const _: () = {
            const _: () = $crate::step::named(&[$(<$step as $crate::Step>::NAME),+]);

            struct Library;

            impl $crate::wire::Guest for Library {
                fn describe() -> ::std::vec::Vec<u8> {
                    $crate::manifest::document(
                        ::std::env!("CARGO_PKG_VERSION"),
                        &[$($crate::manifest::step::<$step>()),+],
                    )
                }

                fn execute(
                    step: ::std::string::String,
                    inputs: ::std::vec::Vec<$crate::Field>,
                ) -> ::std::result::Result<::std::vec::Vec<$crate::Field>, $crate::wire::StepError> {
                    $crate::wire::execute(&step, inputs, &[$((<$step as $crate::Step>::NAME, $crate::step::call::<$step>)),+])
                }
            }

            $crate::export_guest!(Library);
        };
    };
}

/// Exports an implementation of the contract itself, for components that are more than a list of steps.
#[doc(hidden)]
#[macro_export]
macro_rules! export_guest {
    ($guest:ident) => {
        #[cfg(target_arch = "wasm32")]
        $crate::wire::bindings::export!($guest with_types_in $crate::wire::bindings);

        // Natively there is nobody to export to, and no linker that takes such names; all of it is in use, though.
        #[cfg(not(target_arch = "wasm32"))]
        const _: (fn() -> ::std::vec::Vec<u8>, $crate::wire::Execute) =
            (<$guest as $crate::wire::Guest>::describe, <$guest as $crate::wire::Guest>::execute);
    };
}
