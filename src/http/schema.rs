//! Shapes of values that may be strings, for `/openapi.json`.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, RefOr, SchemaFormat,
        schema::{ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

/// A file.
pub struct Binary;

impl PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        let bytes = ObjectBuilder::new().schema_type(Type::String);
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        RefOr::T(Schema::Object(bytes.format(Some(format)).build()))
    }
}

impl ToSchema for Binary {}

macro_rules! loose {
    ($(#[doc = $doc:literal] $name:ident = $make:expr;)+) => {$(
        #[doc = $doc]
        pub struct $name;
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let make: fn() -> ObjectBuilder = $make;
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some(concat!("The same as a string.", "")));
                RefOr::T(Schema::OneOf(
                    OneOfBuilder::new().item(make()).item(text).description(Some($doc.trim())).build(),
                ))
            }
        }
        impl ToSchema for $name {}
    )+};
}

loose! {
    /// Percent, 0 to 100.
    LoosePercent = || ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0)).maximum(Some(100.0));
    /// A whole number from 0.
    LooseIndex = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0.0));
    /// RFC 3339 text, or Unix seconds.
    LooseTime = || ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0)).description(Some("Unix seconds."));
    /// `true` or `false`.
    LooseFlag = || ObjectBuilder::new().schema_type(Type::Boolean);
}
