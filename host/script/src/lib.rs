//! Waits for its first room.
