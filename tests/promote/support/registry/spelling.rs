//! The spelling of group names: SageMaker answers in lower case in some places and as created in others.

use super::Registry;
use super::behaviour::{Behaviour, Spelling};
use crate::support::world::World;
use serde_json::Value;

/// Spells every name and ARN of a group or package in an answer.
pub fn respell(world: &mut World, region: &str, account: &str, answer: &mut Value) {
    let spelling = world.options.registry.spelling;
    match answer {
        _ if spelling == Spelling::LowerCaseInPackageArns => {}
        Value::Array(items) => items.iter_mut().for_each(|item| respell(world, region, account, item)),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("ModelPackageArn" | "ModelPackageGroupArn" | "ModelPackageGroupName", Value::String(text)) => {
                        *text = spelled(world, region, account, text)
                    }
                    (_, value) => respell(world, region, account, value),
                }
            }
        }
        _ => {}
    }
}

fn spelled(world: &mut World, region: &str, account: &str, text: &str) -> String {
    let as_created = match world.options.registry.spelling {
        Spelling::LowerCaseInPackageArns | Spelling::LowerCase => false,
        Spelling::AsCreated => true,
        Spelling::Mixed => world.options.registry.toss(),
    };
    let (start, name) = text
        .rsplit_once(":model-package")
        .and_then(|(arn, rest)| {
            let (kind, name) = rest.split_once('/')?;
            Some((format!("{arn}:model-package{kind}/"), name))
        })
        .unwrap_or((String::new(), text));
    let account = text.split(':').nth(4).unwrap_or(account).to_owned();
    let registry = world.registry(&account, region);
    let (group, version) = name.split_once('/').map_or((name, None), |(group, version)| (group, Some(version)));
    let group = match as_created {
        true => registry.as_created(group),
        false => group.to_lowercase(),
    };
    let version = version.map(|version| format!("/{version}")).unwrap_or_default();
    format!("{start}{group}{version}")
}

impl Behaviour {
    /// Which spelling comes next: without a period, so that no member of a list or an answer always has the same.
    fn toss(&mut self) -> bool {
        self.tosses += 1;
        self.tosses.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0
    }
}

impl Registry {
    /// The spelling with which a group was created; the given one if there is no such group.
    pub fn as_created(&self, name: &str) -> String {
        let created = self.groups.keys().find(|created| created.eq_ignore_ascii_case(name));
        created.map_or(name, String::as_str).to_owned()
    }
}
