//! The choices of the scheduler: every combination in turn, or chance.

use fastrand::Rng;

/// Where choices come from.
pub enum Choices {
    /// The choices of one path through the tree of all choices: each with the number of options. Beyond the path, the
    /// first option is chosen.
    Path { path: Vec<(usize, usize)>, next: usize },
    /// Chance.
    Chance(Rng),
}

impl Choices {
    /// The first path.
    pub fn first() -> Self {
        Self::Path { path: Vec::new(), next: 0 }
    }

    /// The choices of a seed.
    pub fn of(seed: u64) -> Self {
        Self::Chance(Rng::with_seed(seed))
    }

    /// Whether the choices are made by chance.
    pub fn by_chance(&self) -> bool {
        matches!(self, Self::Chance(_))
    }

    /// Chooses one of so many options.
    pub fn pick(&mut self, options: usize) -> usize {
        match self {
            _ if options < 2 => 0,
            Self::Chance(dice) => dice.usize(..options),
            Self::Path { path, next } => {
                if *next == path.len() {
                    path.push((0, options));
                }
                *next += 1;
                path[*next - 1].0
            }
        }
    }

    /// The next path, depth first; nothing after the last one.
    pub fn following(self) -> Option<Self> {
        let Self::Path { mut path, .. } = self else { return None };
        while let Some((chosen, options)) = path.pop() {
            if chosen + 1 < options {
                path.push((chosen + 1, options));
                return Some(Self::Path { path, next: 0 });
            }
        }
        None
    }
}
