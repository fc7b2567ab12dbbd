//! How the allocator treats memory that is free again.

/// glibc raises its thresholds after each large answer that was freed, and then keeps what the next ones leave behind: two
/// hundred rollouts at once stay at 143 MiB instead of 132. A fixed threshold switches that off.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back() {
    const KEPT_AT_THE_TOP: libc::c_int = 1024 * 1024; // bytes of each arena; what a poll or two takes
    // SAFETY: it sets a number of the allocator under its own lock, and takes any value
    #[expect(unsafe_code, reason = "there is no safe way to say it")]
    let taken = unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_AT_THE_TOP) };
    if taken == 0 {
        tracing::debug!("the allocator keeps its own thresholds");
    }
}

/// Other allocators are left alone.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
