//! What an object holds: slices of bytes and of synthetic content, so that a 40 TB object costs nothing.

use super::synthetic;
use bytes::Bytes;
use md5::{Digest, Md5};

/// Content up to this size gets its real digests even where part of it is synthetic.
const DIGESTED: u64 = 1 << 20;

#[derive(Clone, Debug)]
enum Slice {
    Bytes(Bytes),
    Synthetic { seed: u64, start: u64, len: u64 },
}

impl Slice {
    fn len(&self) -> u64 {
        match self {
            Slice::Bytes(bytes) => bytes.len() as u64,
            Slice::Synthetic { len, .. } => *len,
        }
    }

    fn cut(&self, from: u64, take: u64) -> Slice {
        match self {
            Slice::Bytes(bytes) => Slice::Bytes(bytes.slice(from as usize..(from + take) as usize)),
            Slice::Synthetic { seed, start, .. } => Slice::Synthetic { seed: *seed, start: start + from, len: take },
        }
    }

    fn bytes(&self) -> Bytes {
        match self {
            Slice::Bytes(bytes) => bytes.clone(),
            Slice::Synthetic { seed, start, len } => {
                let mut buffer = vec![0; *len as usize];
                synthetic::fill(*seed, *start, &mut buffer);
                buffer.into()
            }
        }
    }
}

/// The content of an object or of a part.
#[derive(Clone, Debug, Default)]
pub struct Body {
    slices: Vec<Slice>,
}

impl Body {
    /// Content of any size that is generated when it is read; two seeds have nothing in common.
    pub fn synthetic(len: u64, seed: u64) -> Body {
        Body { slices: vec![Slice::Synthetic { seed, start: 0, len }] }
    }

    /// Uploaded bytes; synthetic content that came back is recognised and not kept in memory.
    pub(crate) fn received(bytes: Bytes) -> Body {
        match synthetic::recognise(&bytes) {
            Some((seed, start)) => Body { slices: vec![Slice::Synthetic { seed, start, len: bytes.len() as u64 }] },
            None => Body { slices: vec![Slice::Bytes(bytes)] },
        }
    }

    /// The number of bytes.
    pub fn len(&self) -> u64 {
        self.slices.iter().map(Slice::len).sum()
    }

    /// The bytes themselves; for content that fits in memory.
    pub fn bytes(&self) -> Bytes {
        match self.slices.as_slice() {
            [whole] => whole.bytes(),
            slices => slices.iter().map(Slice::bytes).collect::<Vec<_>>().concat().into(),
        }
    }

    /// The part of it that starts at `start`.
    pub(crate) fn range(&self, start: u64, len: u64) -> Body {
        let (mut at, end) = (0, start + len);
        let mut cut = Body::default();
        for slice in &self.slices {
            let (from, to) = (start.max(at), end.min(at + slice.len()));
            if from < to {
                cut.push(slice.cut(from - at, to - from));
            }
            at += slice.len();
        }
        cut
    }

    /// Puts `more` behind it.
    pub(crate) fn append(&mut self, more: Body) {
        more.slices.into_iter().for_each(|slice| self.push(slice));
    }

    fn push(&mut self, next: Slice) {
        if let Some(Slice::Synthetic { seed, start, len }) = self.slices.last_mut()
            && let Slice::Synthetic { seed: next_seed, start: next_start, len: more } = &next
            && (*seed, *start + *len) == (*next_seed, *next_start)
        {
            *len += more;
            return;
        }
        self.slices.push(next);
    }

    /// Whether its digests other than the CRC64NVME are made up.
    pub(crate) fn is_large_and_synthetic(&self) -> bool {
        let synthetic = |slice: &Slice| matches!(slice, Slice::Synthetic { .. });
        self.len() > DIGESTED && self.slices.iter().any(synthetic)
    }

    /// Its MD5, or a made-up one where that would mean generating much content.
    pub(crate) fn md5(&self) -> [u8; 16] {
        let made_up = self.is_large_and_synthetic();
        let mut digest = Md5::new();
        for slice in &self.slices {
            match slice {
                Slice::Synthetic { .. } if made_up => {
                    digest.update(format!("{slice:?}"));
                }
                Slice::Bytes(_) | Slice::Synthetic { .. } => digest.update(slice.bytes()),
            }
        }
        digest.finalize().into()
    }

    /// Its real CRC64NVME, whatever its size.
    pub(crate) fn crc64nvme(&self) -> u64 {
        self.slices.iter().fold(0, |sum, slice| {
            let crc = match slice {
                Slice::Bytes(bytes) => {
                    let mut digest = crc64fast_nvme::Digest::new();
                    digest.write(bytes);
                    digest.sum64()
                }
                Slice::Synthetic { seed, start, len } => synthetic::crc64nvme(*seed, *start, *len),
            };
            synthetic::combine(sum, crc, slice.len())
        })
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        let (mut at, len) = (0, self.len());
        if len != other.len() {
            return false;
        }
        while at < len {
            let (mine, theirs) = (self.range(at, len - at), other.range(at, len - at));
            let step = mine.slices[0].len().min(theirs.slices[0].len());
            let (mine, theirs) = (mine.slices[0].cut(0, step), theirs.slices[0].cut(0, step));
            let same = match (&mine, &theirs) {
                (Slice::Synthetic { seed, start, .. }, Slice::Synthetic { seed: other, start: begin, .. }) => {
                    (seed, start) == (other, begin)
                }
                (Slice::Bytes(_), _) | (_, Slice::Bytes(_)) => mine.bytes() == theirs.bytes(),
            };
            if !same {
                return false;
            }
            at += step;
        }
        true
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body { slices: vec![Slice::Bytes(bytes)] }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        Bytes::from(text).into()
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Body {
        Bytes::copy_from_slice(text.as_bytes()).into()
    }
}
