//! What istioctl refuses before it renders.

use super::error::IstioErrors;
use super::merge::Merged;
use super::warning::Warning;

/// Checks an `IstioOperator`.
pub(super) fn validate(
    _merged: &Merged,
    _force: bool,
    _warnings: &mut Vec<Warning>,
) -> Result<(), IstioErrors> {
    Ok(())
}
