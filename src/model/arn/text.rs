//! A macro for types that are parsed from text and keep its spelling.

/// Implements `Display` and the conversions for serde's `try_from` and `into` from `as_str` and `FromStr`.
macro_rules! text_type {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        $crate::model::arn::text::as_text!($name);
    };
}
pub(crate) use text_type;

/// Implements the conversions by which serde reads and writes a type as text, from `FromStr` and `Display`.
macro_rules! as_text {
    ($name:ident) => {
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
pub(crate) use as_text;

/// Implements `PartialEq`, `Eq` and `Hash` from `canonical`: SageMaker answers with the name of a group as it was
/// created in some calls, and in lower case in others.
macro_rules! equal_without_case {
    ($name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str().eq_ignore_ascii_case(other.as_str())
            }
        }
        impl Eq for $name {}
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.canonical().hash(state);
            }
        }
    };
}
pub(crate) use equal_without_case;
