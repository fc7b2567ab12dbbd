//! Signatures of Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.

use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Keys are accepted with and without `=` at their end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The specification asks for 192 bits.
const SHORTEST: usize = 24;

/// A key that cannot sign. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a signing key is not `whsec_` and base64 of at least {SHORTEST} bytes; make one with `echo whsec_$(openssl rand -base64 32)`"
)]
pub struct KeyError;

/// The header `webhook-signature`: one signature for each key, separated by spaces.
pub fn signature(
    keys: &[SecretString],
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<String, KeyError> {
    let mut all = Vec::new();
    for key in keys {
        let text = key.expose_secret();
        let bytes = LENIENT
            .decode(text.strip_prefix("whsec_").unwrap_or(text))
            .ok()
            .filter(|bytes| bytes.len() >= SHORTEST)
            .ok_or(KeyError)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).map_err(|_| KeyError)?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        all.push(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ));
    }
    Ok(all.join(" "))
}
