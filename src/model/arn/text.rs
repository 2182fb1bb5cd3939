//! A macro for types that are parsed from text and keep its spelling.

/// Implements `Display` and the conversions for serde's `try_from` and `into` from `as_str` and `FromStr`.
macro_rules! text_type {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::model::arn::malformed::Malformed;
            fn try_from(text: String) -> Result<Self, $crate::model::arn::malformed::Malformed> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}
pub(crate) use text_type;
