//! Where every process gets its memory from.

/// A job is thousands of small pieces (events, strings, messages), made on one thread and freed on another. The C
/// library's allocator spent a third of the job service's processor time on that; `cargo xtask bench pipeline` shows
/// what it costs now. What it pays in memory `cargo xtask bench memory` shows. It asks for no huge pages (`no_thp`): with
/// small pieces here and there they made 30 MB in a standalone at rest that nobody had asked for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
