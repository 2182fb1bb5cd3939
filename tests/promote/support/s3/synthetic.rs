//! Content that is described instead of stored: a counter in 16-byte blocks, and its CRC64NVME in closed form.

use std::sync::OnceLock;

/// One block: the seed and the block's number, both little-endian.
const BLOCK: u64 = 16;
/// CRC-64/NVME, reflected.
const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;
/// 2^49 bytes hold the largest object that multipart uploads allow (10,000 parts of 5 GiB).
const DOUBLINGS: usize = 50;

/// Fills `buffer` with the synthetic content of `seed` from byte `start`.
pub fn fill(seed: u64, start: u64, buffer: &mut [u8]) {
    let mut done = 0;
    while done < buffer.len() {
        let at = start + done as u64;
        let skip = (at % BLOCK) as usize;
        let block = block(seed, at / BLOCK);
        let take = (buffer.len() - done).min(16 - skip);
        buffer[done..done + take].copy_from_slice(&block[skip..skip + take]);
        done += take;
    }
}

/// The seed and start of which these bytes are the synthetic content, if they are.
pub fn recognise(bytes: &[u8]) -> Option<(u64, u64)> {
    if bytes.len() < 4096 {
        return None;
    }
    let seed = u64::from_le_bytes(bytes[..8].try_into().ok()?);
    let start = u64::from_le_bytes(bytes[8..16].try_into().ok()?).checked_mul(BLOCK)?;
    let mut expected = vec![0; 1 << 16];
    for (number, chunk) in bytes.chunks(1 << 16).enumerate() {
        fill(seed, start.checked_add((number as u64) << 16)?, &mut expected);
        if chunk != &expected[..chunk.len()] {
            return None;
        }
    }
    Some((seed, start))
}

/// The CRC64NVME of `len` synthetic bytes from `start`, whatever their number.
pub fn crc64nvme(seed: u64, start: u64, len: u64) -> u64 {
    !(shift(!0, len) ^ linear(seed, start, len))
}

/// The CRC64NVME of A followed by B, from those of A and B and the length of B.
pub fn combine(a: u64, b: u64, len_b: u64) -> u64 {
    shift(a, len_b) ^ b
}

fn block(seed: u64, number: u64) -> [u8; 16] {
    let mut block = [0; 16];
    block[..8].copy_from_slice(&seed.to_le_bytes());
    block[8..].copy_from_slice(&number.to_le_bytes());
    block
}

/// The linear part of the CRC (initial value and final inversion left out) of a range of content.
fn linear(seed: u64, start: u64, len: u64) -> u64 {
    let end = start + len;
    let (mut at, mut sum) = (start, 0);
    while at < end {
        let whole = (end - at) / BLOCK;
        if !at.is_multiple_of(BLOCK) || whole == 0 {
            let take = (BLOCK - at % BLOCK).min(end - at);
            let mut edge = vec![0; take as usize];
            fill(seed, at, &mut edge);
            sum = linear_of(sum, &edge);
            at += take;
            continue;
        }
        let number = at / BLOCK;
        let power = number.trailing_zeros().min(63 - whole.leading_zeros());
        let first = linear_of(0, &block(seed, number));
        let run = counters()[power as usize] ^ repeat(first, power as usize);
        sum = shift(sum, BLOCK << power) ^ run;
        at += BLOCK << power;
    }
    sum
}

/// Adds bytes to a linear CRC, bit by bit: only for edges and single blocks.
fn linear_of(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |crc, byte| (0..8).fold(crc ^ u64::from(*byte), |crc, _| one_bit(crc)))
}

fn one_bit(crc: u64) -> u64 {
    (crc >> 1) ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 }
}

/// The linear CRC of one block repeated 2^power times.
fn repeat(block: u64, power: usize) -> u64 {
    (0..power).fold(block, |sum, k| shift(sum, BLOCK << k) ^ sum)
}

/// The linear CRC of the blocks (0, 0), (0, 1), … (0, 2^k - 1), for each k.
fn counters() -> &'static [u64] {
    static COUNTERS: OnceLock<Vec<u64>> = OnceLock::new();
    COUNTERS.get_or_init(|| {
        let mut sums = vec![0];
        for k in 0..DOUBLINGS - 4 {
            let upper = sums[k] ^ repeat(linear_of(0, &block(0, 1 << k)), k);
            sums.push(shift(sums[k], BLOCK << k) ^ upper);
        }
        sums
    })
}

/// The state that `len` zero bytes make of a CRC state.
fn shift(mut state: u64, len: u64) -> u64 {
    for (power, matrix) in matrices().iter().enumerate() {
        if len >> power & 1 == 1 {
            state = apply(matrix, state);
        }
    }
    state
}

fn apply(matrix: &[u64; 64], mut state: u64) -> u64 {
    let mut sum = 0;
    while state != 0 {
        sum ^= matrix[state.trailing_zeros() as usize];
        state &= state - 1;
    }
    sum
}

/// For each power p, what 2^p zero bytes do to each bit of the state.
fn matrices() -> &'static [[u64; 64]] {
    static MATRICES: OnceLock<Vec<[u64; 64]>> = OnceLock::new();
    MATRICES.get_or_init(|| {
        let byte = std::array::from_fn(|bit| (0..8).fold(1 << bit, |state, _| one_bit(state)));
        std::iter::successors(Some(byte), |last| Some(std::array::from_fn(|bit| apply(last, last[bit]))))
            .take(DOUBLINGS)
            .collect()
    })
}
