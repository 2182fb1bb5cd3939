//! Masks values that are not printed, because their names look like those of secrets.
//!
//! Environment variables of containers and customer metadata sometimes have passwords and tokens. What promote prints ends
//! up in the logs of builds, which more people may read than the registry.

use serde_json::Value;

/// What is printed instead of a secret.
pub const MASK: &str = "(masked)";

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
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), masked(name, value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| masked(field, item)).collect()),
        Value::String(text) if !text.is_empty() && names_a_secret(field) => MASK.into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The text with secrets masked, as [`masked`] does. The text may be the JSON of a structure.
pub fn masked_text(field: &str, text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => masked(field, &value).to_string(),
        _ if names_a_secret(field) && !text.is_empty() => MASK.to_owned(),
        _ => text.to_owned(),
    }
}

/// Whether the last name of a path looks like that of a secret.
fn names_a_secret(field: &str) -> bool {
    let name = match field.strip_suffix('}').and_then(|path| path.rsplit_once('{')) {
        Some((_, key)) => key,
        None => field.rsplit('.').next().unwrap_or(field),
    };
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
            assert!(names_a_secret(name), "{name}");
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
            assert!(!names_a_secret(name), "{name}");
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
}
