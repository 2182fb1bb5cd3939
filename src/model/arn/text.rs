//! Macros for types that are parsed from text and keep its spelling.

/// Implements `as_str`, `Display` and serde's traits for a type that has its text in a field and implements `FromStr`.
macro_rules! text_type {
    ($name:ident) => {
        $crate::model::arn::text::text_type!($name, 0);
    };
    ($name:ident, $field:tt) => {
        impl $name {
            /// The whole text. The letter case is kept.
            pub fn as_str(&self) -> &str {
                &self.$field
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        $crate::model::arn::text::as_text!($name);
    };
}
pub(crate) use text_type;

/// Implements serde's traits for a type that documents have as text, from `Display` and `FromStr`.
macro_rules! as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text: String = serde::Deserialize::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use as_text;

/// Implements `canonical`, and `PartialEq`, `Eq` and `Hash` from it: SageMaker answers with the name of a group as it was
/// created in some calls, and in lower case in others.
macro_rules! equal_without_case {
    ($name:ident) => {
        impl $name {
            /// The text in lower case, as keys and metadata have it.
            pub fn canonical(&self) -> String {
                self.as_str().to_ascii_lowercase()
            }
        }
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
