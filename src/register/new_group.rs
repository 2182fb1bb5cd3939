//! Target groups that have to be created.

/// A target group that does not exist yet.
#[derive(Debug, Clone, Default)]
pub struct NewGroup {
    /// As the source group has it.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

impl NewGroup {
    /// The source group's tags, those that only AWS may set left out; the asked-for tags win.
    pub fn of(description: Option<String>, source: Vec<(String, String)>, asked: &[(String, String)]) -> Self {
        let is_asked = |key: &str| asked.iter().any(|(other, _)| other == key);
        let inherited = source.into_iter().filter(|(key, _)| !key.starts_with("aws:") && !is_asked(key));
        let tags = inherited.chain(asked.iter().cloned()).collect();
        Self { description: description.filter(|text| !text.is_empty()), tags }
    }
}
