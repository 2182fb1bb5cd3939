//! Finds the fields of a described package that this version of promote does not know.

use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::schema::shapes::{Root, SHAPES, Shape, ShapeKind};

/// Lists the fields of a described package that the service model of this version does not define.
pub fn unknown_members(description: &Document) -> Vec<Field> {
    let mut unknown = Vec::new();
    let members = description.iter().map(|(name, value)| (Field::top(name), name.as_str(), value));
    find_unknown(Root::Describe.shape(), members, &mut unknown);
    unknown
}

fn find_unknown<'a>(
    structure: &str,
    given: impl Iterator<Item = (Field, &'a str, &'a Value)>,
    unknown: &mut Vec<Field>,
) {
    let Some(Shape { kind: ShapeKind::Structure { members, .. }, .. }) = SHAPES.get(structure) else { return };
    for (field, name, value) in given {
        match members.get(name) {
            None => unknown.push(field),
            Some(shape) => unknown_below(shape, &field, value, unknown),
        }
    }
}

fn unknown_below(shape: &str, field: &Field, value: &Value, unknown: &mut Vec<Field>) {
    match (SHAPES.get(shape).map(|shape| &shape.kind), value) {
        (Some(ShapeKind::Structure { .. }), Value::Object(given)) => {
            let members = given.iter().map(|(name, value)| (field.member(name), name.as_str(), value));
            find_unknown(shape, members, unknown);
        }
        (Some(ShapeKind::List { member }), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                unknown_below(member, &field.item(index), item, unknown);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_found_at_any_depth() {
        let description = serde_json::from_str(
            r#"{"NewMember":1,"InferenceSpecification":{"Containers":[{"Image":"i","Shiny":true,"Environment":{"FREE":"x"}}]}}"#,
        )
        .unwrap();
        let names: Vec<String> = unknown_members(&description).iter().map(Field::to_string).collect();
        assert_eq!(names, ["NewMember", "InferenceSpecification.Containers[0].Shiny"]);
    }
}
