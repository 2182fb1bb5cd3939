//! Masks and seals values whose names look like those of secrets.
//!
//! Environment variables of containers and customer metadata sometimes have passwords and tokens. What promote prints ends
//! up in the logs of builds, which more people may read than the registry: there the values are masked. Documents and
//! records are compared later, so they have digests of the values instead: there the values are sealed.

use serde_json::Value;

use crate::model::field::Document;
use crate::model::package::sha256;

/// What is printed instead of a secret.
pub const MASK: &str = "(masked)";
/// What a sealed value begins with. 64 hexadecimal digits follow.
const SEAL: &str = "sealed:sha256:";
/// Part of what is hashed, so that the digest of a secret is not found in tables of common passwords.
const LABEL: &str = "promote secret";

/// What a record has in place of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecordSecrets {
    /// Its digest.
    #[default]
    Sealed,
    /// The secret itself.
    InFull,
}

impl RecordSecrets {
    /// A request as a record has it.
    pub fn of(self, request: &Document) -> Document {
        match self {
            Self::Sealed => sealed_document(request),
            Self::InFull => request.clone(),
        }
    }
}

/// Names that contain one of these, in any case and without separators, are names of secrets.
const PARTS: [&str; 10] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "authtoken",
    "connectionstring",
];
/// Names with one of these as their last word. `MAX_TOKENS` and `TOKENIZER` are no secrets.
const LAST_WORDS: [&str; 4] = ["token", "pwd", "pass", "auth"];

/// The value with secrets masked: all of it if the name of the field is one of a secret, otherwise the members whose names
/// are. `field` may be a path such as `Containers[0].Environment{HF_TOKEN}`.
pub fn masked(field: &str, value: &Value) -> Value {
    replaced(name_of(field), value, &|_, _| MASK.to_owned())
}

/// The value with secrets sealed, where [`masked`] masks them. A sealed value stays as it is.
pub fn sealed(field: &str, value: &Value) -> Value {
    replaced(name_of(field), value, &seal)
}

/// The text with secrets sealed, as [`sealed`] does. The text may be the JSON of a structure.
pub fn sealed_text(field: &str, text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => match sealed(field, &value) {
            sealed if sealed == value => text.to_owned(),
            sealed => sealed.to_string(),
        },
        _ if names_a_secret(name_of(field)) && !text.is_empty() => seal(name_of(field), text),
        _ => text.to_owned(),
    }
}

/// A document with every secret sealed.
pub fn sealed_document(document: &Document) -> Document {
    document.iter().map(|(name, value)| (name.clone(), replaced(name, value, &seal))).collect()
}

/// Whether two values of a field are equal. Either of them may come from a record, which has digests of secrets.
pub fn agree(field: &str, one: &Value, other: &Value) -> bool {
    one == other || sealed(field, one) == sealed(field, other)
}

/// Whether a value is the digest that a record has in place of a secret.
pub fn is_sealed(field: &str, value: &Value) -> bool {
    names_a_secret(name_of(field)) && value.as_str().is_some_and(is_seal)
}

fn is_seal(text: &str) -> bool {
    text.strip_prefix(SEAL).is_some_and(|digest| digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn seal(name: &str, text: &str) -> String {
    match is_seal(text) {
        true => text.to_owned(),
        false => format!("{SEAL}{}", sha256(&format!("{LABEL}\n{name}\n{text}"))),
    }
}

/// The value with `replacement` of the name and the text in place of every secret.
fn replaced(name: &str, value: &Value, replacement: &dyn Fn(&str, &str) -> String) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (name.clone(), replaced(name, value, replacement));
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| replaced(name, item, replacement)).collect()),
        Value::String(text) if !text.is_empty() && names_a_secret(name) => replacement(name, text).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The text with secrets masked, as [`masked`] does. The text may be the JSON of a structure.
pub fn masked_text(field: &str, text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => masked(field, &value).to_string(),
        _ if names_a_secret(name_of(field)) && !text.is_empty() => MASK.to_owned(),
        _ => text.to_owned(),
    }
}

/// The last name of a path, without the index of an item.
fn name_of(field: &str) -> &str {
    let field = match field.strip_suffix(']').and_then(|path| path.rsplit_once('[')) {
        Some((list, _)) => list,
        None => field,
    };
    match field.strip_suffix('}').and_then(|path| path.split_once('{')) {
        Some((_, key)) => key,
        None => field.rsplit('.').next().unwrap_or(field),
    }
}

/// Whether a name looks like that of a secret.
fn names_a_secret(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let last = last_word(name).to_ascii_lowercase();
    PARTS.iter().any(|part| letters.contains(part)) || LAST_WORDS.contains(&last.as_str())
}

/// The last word of a name such as `HF_TOKEN`, `hf-token` or `hfToken`.
fn last_word(name: &str) -> &str {
    let word = name.trim_end_matches(|c: char| !c.is_alphabetic());
    let word = word.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or(word);
    let is_mixed = word.contains(char::is_lowercase);
    let start = word.rfind(char::is_uppercase).filter(|_| is_mixed).unwrap_or(0);
    &word[start..]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_others() {
        let secrets = [
            "HF_TOKEN",
            "HUGGING_FACE_HUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "DB_PASSWORD",
            "dbPassword",
            "OPENAI_API_KEY",
            "apiKey",
            "x-api-key",
            "SSH_PRIVATE_KEY",
            "db.pwd",
            "REDIS_PASS",
            "GITHUB_TOKEN_2",
            "Containers[0].Environment{HF_TOKEN}",
            "CustomerMetadataProperties{mlflow.token}",
            "hubToken",
        ];
        for name in secrets {
            assert!(names_a_secret(name_of(name)), "{name}");
        }
        let others = [
            "MAX_TOKENS",
            "OPTION_MAX_TOKENS",
            "TOKENIZER",
            "TOKENIZERS_PARALLELISM",
            "LEVEL",
            "SAGEMAKER_PROGRAM",
            "BYPASS_CACHE",
            "KEY",
            "OPTION_MODEL_ID",
            "author",
            "promote:source-arn",
            "ModelDataUrl",
            "",
            "é",
        ];
        for name in others {
            assert!(!names_a_secret(name_of(name)), "{name}");
        }
    }

    #[test]
    fn secrets_within_a_structure_are_masked() {
        let container = json!([{"Image": "i", "Environment": {"HF_TOKEN": "hf_123", "LEVEL": "info", "API_KEY": ""}}]);
        let shown = json!([{"Image": "i", "Environment": {"HF_TOKEN": MASK, "LEVEL": "info", "API_KEY": ""}}]);
        assert_eq!(masked("Containers", &container), shown);
        assert_eq!(masked_text("Containers", &container.to_string()), shown.to_string());
        assert_eq!(masked_text("A{DB_PASSWORD}", "p"), MASK);
    }

    #[test]
    fn a_sealed_value_agrees_with_its_secret_and_with_no_other() {
        let containers = |token: &str| json!([{"Environment": {"db.HF_TOKEN": token, "LEVEL": "info", "API_KEY": ""}}]);
        let (field, path) = ("Containers", "Containers[0].Environment{db.HF_TOKEN}");
        let recorded = sealed(field, &containers("hf_123"));
        assert!(!recorded.to_string().contains("hf_123"), "{recorded}");
        assert_eq!(
            (&recorded[0]["Environment"]["LEVEL"], &recorded[0]["Environment"]["API_KEY"]),
            (&json!("info"), &json!(""))
        );
        assert_eq!(sealed(field, &recorded), recorded, "a sealed value stays as it is");
        assert_eq!(sealed_text(field, &containers("hf_123").to_string()), recorded.to_string());
        let token = &recorded[0]["Environment"]["db.HF_TOKEN"];
        assert!(is_sealed(path, token) && !is_sealed("LEVEL", token));
        assert_eq!(sealed(path, &json!("hf_123")), *token, "a leaf has the digest that it has in its structure");
        assert!(agree(field, &containers("hf_123"), &recorded) && agree(path, token, &json!("hf_123")));
        assert!(!agree(field, &containers("hf_124"), &recorded) && !agree(path, &json!("hf_124"), token));
        assert_ne!(sealed("A_TOKEN", &json!("x")), sealed("B_TOKEN", &json!("x")));
    }
}
