//! The description and tags of a target group that is created.

/// A target group that does not exist yet.
#[derive(Debug, Clone, Default)]
pub struct NewGroup {
    /// The source group's description.
    pub description: Option<String>,
    /// The tags.
    pub tags: Vec<(String, String)>,
}

impl NewGroup {
    /// The source group's tags without those that only AWS may set. Tags in `asked` take precedence.
    pub fn of(description: Option<String>, source: Vec<(String, String)>, asked: &[(String, String)]) -> Self {
        let is_asked = |key: &str| asked.iter().any(|(other, _)| other == key);
        let inherited = source.into_iter().filter(|(key, _)| !key.starts_with("aws:") && !is_asked(key));
        let tags = inherited.chain(asked.iter().cloned()).collect();
        Self { description: description.filter(|text| !text.is_empty()), tags }
    }
}
