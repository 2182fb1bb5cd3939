//! Records: their content, their signatures, and their verification.

mod records;
mod secrets;
mod signing;
mod unsigned;
mod verify;
