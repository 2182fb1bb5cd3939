//! The template as CloudFormation would resolve it: parameters come in, the properties of a resource come out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::support::{REGION, TARGET_ACCOUNT};

/// What the stack is called in these tests.
pub const STACK: &str = "mlops";

/// A template with the values of its parameters.
pub struct Template {
    document: Value,
    parameters: BTreeMap<String, String>,
}

impl Template {
    /// `document` is JSON in the long form of the functions; parameters that are not given have their defaults.
    pub fn new(document: Value, parameters: BTreeMap<String, String>) -> Self {
        Self { document, parameters }
    }

    /// The resolved properties of a resource.
    pub fn properties(&self, resource: &str) -> Value {
        self.resolve(&self.document["Resources"][resource]["Properties"]).expect("properties")
    }

    /// One resolved property of a resource.
    pub fn property(&self, resource: &str, name: &str) -> Value {
        self.resolve(&self.document["Resources"][resource]["Properties"][name]).expect("a property")
    }

    /// The policy documents of a role: inline, and those that it is attached to by reference.
    pub fn policies(&self, role: &str) -> Vec<Value> {
        let properties = self.properties(role);
        let inline = properties["Policies"].as_array().into_iter().flatten().map(|one| one["PolicyDocument"].clone());
        let attached = properties["ManagedPolicyArns"].as_array().into_iter().flatten();
        let attached = attached.map(|name| text(name).strip_prefix("the-").expect("a reference"));
        inline.chain(attached.map(|name| self.property(name, "PolicyDocument"))).collect()
    }

    /// The names of the resources of a type.
    pub fn of_type(&self, kind: &str) -> Vec<String> {
        let resources = self.document["Resources"].as_object().expect("resources").iter();
        resources.filter(|(_, resource)| resource["Type"] == kind).map(|(name, _)| name.clone()).collect()
    }

    /// The value; nothing where it is `AWS::NoValue`.
    fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(items) => Some(items.iter().filter_map(|item| self.resolve(item)).collect()),
            Value::Object(members) => match members.iter().next() {
                Some((name, argument)) if members.len() == 1 && name == "Ref" => self.reference(text(argument)),
                Some((name, argument)) if members.len() == 1 && name.starts_with("Fn::") => {
                    self.function(name, argument)
                }
                _ => {
                    let resolved = members.iter().filter_map(|(name, one)| Some((name.clone(), self.resolve(one)?)));
                    Some(Value::Object(Map::from_iter(resolved)))
                }
            },
            plain => Some(plain.clone()),
        }
    }

    fn reference(&self, name: &str) -> Option<Value> {
        let pseudo = match name {
            "AWS::NoValue" => return None,
            "AWS::Region" => Some(REGION.to_owned()),
            "AWS::AccountId" => Some(TARGET_ACCOUNT.to_owned()),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::URLSuffix" => Some("amazonaws.com".to_owned()),
            "AWS::StackName" => Some(STACK.to_owned()),
            _ => None,
        };
        let parameter = &self.document["Parameters"][name];
        let given = self.parameters.get(name).cloned();
        let default = || Some(parameter["Default"].as_str()?.to_owned());
        let value = match parameter {
            Value::Null => pseudo.unwrap_or_else(|| format!("the-{name}")),
            _ => given.or_else(default).unwrap_or_else(|| panic!("{name} has no value")),
        };
        match parameter["Type"].as_str() {
            Some("CommaDelimitedList") => Some(value.split(',').map(Value::from).collect()),
            _ => Some(value.into()),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Option<Value> {
        let resolved = || self.resolve(argument).expect("an argument");
        Some(match name {
            "Fn::If" => return self.resolve(&argument[if self.holds(text(&argument[0])) { 1 } else { 2 }]),
            "Fn::GetAtt" => format!("the-{}-of-{}", text(&argument[1]), text(&argument[0])).into(),
            "Fn::Sub" => self.substituted(argument).into(),
            "Fn::Select" => {
                let (index, list) = (resolved()[0].as_u64(), resolved()[1].clone());
                list[usize::try_from(index.expect("an index")).expect("small")].clone()
            }
            "Fn::Split" => text(&resolved()[1]).split(text(&argument[0])).map(Value::from).collect(),
            "Fn::Join" => {
                let list = resolved()[1].clone();
                let texts: Vec<&str> = list.as_array().expect("a list").iter().map(text).collect();
                texts.join(text(&argument[0])).into()
            }
            other => panic!("{other} is not known here"),
        })
    }

    /// `Fn::Sub`, with or without values of its own.
    fn substituted(&self, argument: &Value) -> String {
        let (pattern, own) = match argument {
            Value::Array(both) => (text(&both[0]), both[1].clone()),
            one => (text(one), Value::Null),
        };
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, name, after)) = rest.split_once("${").and_then(|(before, rest)| {
            let (name, after) = rest.split_once('}')?;
            Some((before, name, after))
        }) {
            let value = match (own.get(name), name.split_once('.')) {
                (Some(value), _) => self.resolve(value),
                (None, Some((resource, attribute))) => Some(format!("the-{attribute}-of-{resource}").into()),
                (None, None) => self.reference(name),
            };
            out.push_str(before);
            out.push_str(text(&value.expect("a value")));
            rest = after;
        }
        out + rest
    }

    fn holds(&self, condition: &str) -> bool {
        self.is_true(&self.document["Conditions"][condition])
    }

    fn is_true(&self, condition: &Value) -> bool {
        let (name, argument) = condition.as_object().and_then(|one| one.iter().next()).expect("a condition");
        match name.as_str() {
            "Condition" => self.holds(text(argument)),
            "Fn::Equals" => self.resolve(&argument[0]) == self.resolve(&argument[1]),
            "Fn::Not" => !self.is_true(&argument[0]),
            "Fn::Or" => argument.as_array().expect("a list").iter().any(|one| self.is_true(one)),
            "Fn::And" => argument.as_array().expect("a list").iter().all(|one| self.is_true(one)),
            other => panic!("{other} is not known here"),
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
