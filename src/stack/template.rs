//! Converts the template from YAML with CloudFormation's short forms to JSON, which the CDK requires.

use anyhow::{Context, Result, anyhow, bail};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// The template in YAML, with its comments.
pub const TEXT: &str = include_str!("../../stack/promote.yaml");

/// The template as JSON, with functions such as `!Sub` in their long form.
///
/// # Errors
/// The YAML cannot be converted to JSON. A test checks that it can.
pub fn json() -> Result<Value> {
    let documents = Yaml::load_from_str(TEXT).context("reading the template")?;
    value(documents.first().context("the template is empty")?)
}

fn value(node: &Yaml<'_>) -> Result<Value> {
    Ok(match node {
        Yaml::Tagged(tag, inner) => function(&tag.suffix, value(inner)?)?,
        Yaml::Sequence(items) => Value::Array(items.iter().map(value).collect::<Result<_>>()?),
        Yaml::Mapping(members) => {
            let member = |(name, inner): (&Yaml<'_>, &Yaml<'_>)| {
                let name = name.as_str().ok_or_else(|| anyhow!("a member's name is not text: {name:?}"))?;
                Ok((name.to_owned(), value(inner)?))
            };
            Value::Object(members.iter().map(member).collect::<Result<_>>()?)
        }
        Yaml::Value(Scalar::String(text)) => Value::String(text.to_string()),
        Yaml::Value(Scalar::Integer(number)) => Value::from(*number),
        Yaml::Value(Scalar::Boolean(truth)) => Value::Bool(*truth),
        other => bail!("the template holds {other:?}, which CloudFormation does not know"),
    })
}

/// `!Ref x` is `{"Ref": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`, and so on (CloudFormation User Guide,
/// "Intrinsic function reference").
fn function(tag: &str, argument: Value) -> Result<Value> {
    let (name, argument) = match tag {
        "Ref" | "Condition" => (tag.to_owned(), argument),
        "GetAtt" => {
            let text = argument.as_str().context("!GetAtt takes a text")?;
            let (resource, attribute) = text.split_once('.').context("!GetAtt takes resource.attribute")?;
            ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
        }
        other => (format!("Fn::{other}"), argument),
    };
    Ok(Value::Object(Map::from_iter([(name, argument)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_ones() {
        let json = json().unwrap();
        assert_eq!(
            json["Conditions"]["HasEventBus"],
            serde_json::json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "EventBusName"}, ""]}]})
        );
        assert_eq!(
            json["Resources"]["Project"]["Properties"]["ServiceRole"],
            serde_json::json!({"Fn::GetAtt": ["BuildRole", "Arn"]})
        );
        assert_eq!(
            json["Conditions"]["HasReviewAndTopic"]["Fn::And"][0],
            serde_json::json!({"Condition": "HasReview"})
        );
    }

    #[test]
    fn versions_and_truth_words_are_strings() {
        let json = json().unwrap();
        assert_eq!(json["AWSTemplateFormatVersion"], "2010-09-09");
        assert_eq!(json["Parameters"]["RetainOnDelete"]["Default"], "true");
    }
}
