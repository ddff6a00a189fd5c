//! What the older API did wrong and this one does not; each test is named by the quirk's number.

mod assets;
mod jobs;
mod page;
