//! The JSON Schema of promotions files, which editors use, made of the flags of `promote full`.

use serde_json::{Map, Value, json};

use super::members::{Member, MemberKind, Section, members};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/promotions.schema.json");

#[test]
fn the_schema_in_the_documentation_has_every_member() {
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(FILE, &schema).unwrap();
    }
    let documented = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(documented == schema, "docs/promotions.schema.json is old; UPDATE_SNAPSHOTS=1 renews it");
}

fn schema() -> Value {
    let name = json!({"pattern": "^[A-Za-z0-9._-]+$"});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A promotions file",
        "description": "What `promote plan` and `promote apply` read. Each member is a flag of `promote full`.",
        "type": "object",
        "additionalProperties": false,
        "required": ["promotions"],
        "properties": {
            "defaults": {
                "description": "Members of every source and target that do not have their own.",
                "type": "object",
                "additionalProperties": false,
                "properties": {"source": {"$ref": "#/$defs/source"}, "target": {"$ref": "#/$defs/target"}}
            },
            "promotions": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": name,
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["targets"],
                    "properties": {
                        "source": {"$ref": "#/$defs/source"},
                        "targets": {
                            "type": "object",
                            "minProperties": 1,
                            "propertyNames": name,
                            "additionalProperties": {"$ref": "#/$defs/target"}
                        }
                    }
                }
            }
        },
        "$defs": {"source": section(Section::Source), "target": section(Section::Target)}
    })
}

fn section(section: Section) -> Value {
    let members = members().into_iter().filter(|member| member.section == section);
    let properties: Map<String, Value> = members.map(|member| (member.name.clone(), property(&member))).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn property(member: &Member) -> Value {
    let help = member.argument.get_help().map(ToString::to_string).unwrap_or_default();
    // Environment variables do not act on the file.
    let help = help.split(" [env:").next().unwrap_or_default();
    let values: Vec<String> =
        member.argument.get_possible_values().iter().map(|one| one.get_name().to_owned()).collect();
    match member.kind {
        MemberKind::Switch => json!({"description": help, "type": "boolean"}),
        MemberKind::List => json!({"description": help, "type": "array", "items": {"type": "string"}}),
        MemberKind::Value if values.is_empty() => json!({"description": help, "type": ["string", "number"]}),
        MemberKind::Value => json!({"description": help, "enum": values}),
    }
}
