//! Records: their content, their signatures, and their verification.

mod records;
mod signing;
mod verify;
